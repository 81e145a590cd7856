//! A dom0 that boots on a xenstored of ours.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use super::cpio::{Archive, Node};
use super::initramfs::BootFiles;
use crate::cache::{Cache, key};

/// Where dom0's first process finds it before Xen's own (its PATH).
const FOLDERS: [&str; 2] = ["usr/local", "usr/local/bin"];
const PLACE: &str = "usr/local/bin/xenstored";
/// How many are kept, one for each version of the program; those that were made longest ago go first.
const KEPT: usize = 2;

impl BootFiles {
    /// The same files, but `program` in place of Xen's xenstored.
    pub(crate) fn with_xenstored(&self, cache: &Cache, program: &Path) -> Result<BootFiles> {
        let content =
            fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
        let key = key(&[
            self.key.as_bytes(),
            &content,
            include_str!("ours.rs").as_bytes(),
        ]);
        let name = format!("boot-ours/{key}");
        let fresh = !cache.path(&name).is_dir();
        let folder = cache.entry(&name, |stage| self.make(&content, stage))?;
        if fresh {
            prune(&cache.path("boot-ours"));
        }
        Ok(BootFiles { folder, key })
    }

    fn make(&self, program: &[u8], stage: &Path) -> Result<()> {
        for item in fs::read_dir(&self.folder)? {
            let item = item?;
            if item.file_name() != "dom0.cpio" {
                fs::hard_link(item.path(), stage.join(item.file_name()))?;
            }
        }
        // Linux unpacks several archives one after the other.
        let mut out = File::create(stage.join("dom0.cpio"))?;
        io::copy(&mut File::open(self.folder.join("dom0.cpio"))?, &mut out)?;
        let mut archive = Archive::new(Vec::new());
        for folder in FOLDERS {
            archive.add(folder, Node::Folder)?;
        }
        archive.add(PLACE, Node::File(0o755, program))?;
        out.write_all(&archive.finish()?)?;
        Ok(())
    }
}

fn prune(folder: &Path) {
    let Ok(listing) = fs::read_dir(folder) else {
        return;
    };
    let mut found: Vec<(SystemTime, _)> = listing
        .flatten()
        .filter(|item| item.path().is_dir() && item.path().extension().is_none())
        .filter_map(|item| Some((item.metadata().ok()?.modified().ok()?, item.path())))
        .collect();
    found.sort();
    let surplus = found.len().saturating_sub(KEPT);
    for (_, path) in &found[..surplus] {
        let _ = fs::remove_dir_all(path);
    }
}
