//! A dom0 that boots on a xenstored of ours.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use super::cpio::{Archive, Node};
use super::initramfs::BootFiles;
use crate::cache::{Cache, key};

/// A xenstored of ours, which dom0's first process starts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ours {
    /// A static program for Linux.
    Process,
    /// The image of a stub-domain.
    StubDomain,
}

impl Ours {
    /// The folder of its own, and the path in it: for a program where dom0's first process looks before it finds Xen's own (its PATH).
    const fn place(self) -> [&'static str; 2] {
        match self {
            Ours::Process => ["usr/local/bin", "usr/local/bin/xenstored"],
            Ours::StubDomain => ["usr/local/lib", "usr/local/lib/xenstored.xen"],
        }
    }

    /// What dom0's first process is told.
    pub(super) const fn option(self) -> &'static str {
        match self {
            // It starts what it finds under the name of Xen's own.
            Ours::Process => "morgana.xenstored=c",
            Ours::StubDomain => "morgana.xenstored=stubdom",
        }
    }
}

/// How many are kept, one for each version of the program, and of how it was made; those that were made longest ago go first.
const KEPT: usize = 4;

impl BootFiles {
    /// The same files, but `program` in place of Xen's xenstored.
    pub(crate) fn with_xenstored(
        &self,
        cache: &Cache,
        ours: Ours,
        program: &Path,
    ) -> Result<BootFiles> {
        let content =
            fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
        let key = key(&[
            self.key.as_bytes(),
            &content,
            ours.option().as_bytes(),
            include_str!("ours.rs").as_bytes(),
        ]);
        let name = format!("boot-ours/{key}");
        let fresh = !cache.path(&name).is_dir();
        let folder = cache.entry(&name, |stage| self.make(ours, &content, stage))?;
        if fresh {
            prune(&cache.path("boot-ours"));
        }
        Ok(BootFiles { folder, key })
    }

    fn make(&self, ours: Ours, program: &[u8], stage: &Path) -> Result<()> {
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
        let [folder, path] = ours.place();
        for folder in ["usr/local", folder] {
            archive.add(folder, Node::Folder)?;
        }
        archive.add(path, Node::File(0o755, program))?;
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
