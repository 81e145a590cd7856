//! Disks made of files and folders of the host.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::tar;
use crate::cli::DiskChoice;
use crate::testbed::Access;

/// A disk of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disk {
    /// Its name in the guest, `xvda` for one.
    pub(super) name: String,
    /// What is on it.
    pub(super) file: PathBuf,
    /// Whether the guest may write to it.
    pub(super) access: Access,
}

/// The disks that are asked for. A folder is packed as a tar archive, which goes to `scratch`.
pub(super) fn choose(asked: &[DiskChoice], scratch: &Path) -> Result<Vec<Disk>> {
    let mut disks: Vec<Disk> = Vec::new();
    let mut free = ('a'..='p').map(|letter| format!("xvd{letter}"));
    for DiskChoice { path, name } in asked {
        let taken = |name: &String| {
            disks.iter().any(|disk| disk.name == *name)
                || asked.iter().any(|other| other.name.as_ref() == Some(name))
        };
        let name = match name {
            Some(name) => name.clone(),
            None => free
                .find(|name| !taken(name))
                .context("there are too many disks")?,
        };
        if disks.iter().any(|disk| disk.name == name) {
            bail!("two disks are called {name}");
        }
        let metadata = path
            .metadata()
            .with_context(|| format!("cannot read {}", path.display()))?;
        let (file, access) = if metadata.is_dir() {
            let file = scratch.join(format!("{name}.tar"));
            pack(path, &file)?;
            (file, Access::ReadOnly)
        } else {
            ensure!(
                !path.to_string_lossy().contains(','),
                "{}: a disk's path must have no comma",
                path.display()
            );
            (path.clone(), Access::ReadWrite)
        };
        disks.push(Disk { name, file, access });
    }
    Ok(disks)
}

/// Packs a folder, as `tar -cf FILE -C FOLDER .` does.
pub(super) fn pack(folder: &Path, file: &Path) -> Result<()> {
    let cannot = || format!("cannot pack {}", folder.display());
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(cannot)?;
    }
    let out = BufWriter::new(File::create(file).with_context(cannot)?);
    tar::pack(folder, out).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use super::choose;
    use crate::testbed::Access;

    #[test]
    fn names_are_given_in_turn_and_kept() {
        let scratch = std::env::temp_dir().join(format!("morgana-disks-{}", std::process::id()));
        std::fs::create_dir_all(scratch.join("zones")).unwrap();
        std::fs::write(scratch.join("zones/a.zone"), "x").unwrap();
        std::fs::write(scratch.join("image"), "y").unwrap();
        let ask = |texts: &[&str]| {
            let asked: Vec<_> = texts
                .iter()
                .map(|text| format!("{}/{text}", scratch.display()).parse().unwrap())
                .collect();
            choose(&asked, &scratch)
        };
        let disks = ask(&["zones", "image:xvda", "image"]).unwrap();
        let found: Vec<_> = disks
            .iter()
            .map(|disk| (disk.name.as_str(), disk.access))
            .collect();
        assert_eq!(
            found,
            [
                ("xvdb", Access::ReadOnly),
                ("xvda", Access::ReadWrite),
                ("xvdc", Access::ReadWrite)
            ]
        );
        assert!(disks[0].file.metadata().unwrap().len() >= 2048);
        assert!(ask(&["image:xvda", "zones:xvda"]).is_err());
        assert!(ask(&["nothing"]).is_err());
        std::fs::remove_dir_all(&scratch).unwrap();
    }
}
