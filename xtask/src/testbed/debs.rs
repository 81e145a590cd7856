//! Debian packages on top of a dom0 that runs already.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::apt::Apt;
use super::initramfs::BootFiles;
use super::tree::Tree;
use crate::cache::{Cache, key};
use crate::progress::Step;

/// An archive with the files of `names`, and of all that they depend on, that dom0 has not got yet.
pub(super) fn archive(cache: &Cache, files: &BootFiles, names: &[String]) -> Result<PathBuf> {
    let what = names.join(", ");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let closure = Apt::new(cache)?.closure(&names, &[], &what)?;
    let key = key(&[
        closure.key().as_bytes(),
        files.key.as_bytes(),
        include_bytes!("debs.rs"),
    ]);
    let folder = cache.entry(&format!("debs/{key}"), |stage| {
        let root = stage.join("root");
        fs::create_dir(&root)?;
        closure.unpack(&root, &what, |_| true)?;
        let _step = Step::spinner(&format!("packing {what} for dom0"));
        let listing = files.listing();
        let listing = fs::read_to_string(&listing)
            .with_context(|| format!("cannot read {}", listing.display()))?;
        let known: BTreeSet<&str> = listing.lines().collect();
        let mut tree = Tree::default();
        tree.graft(&root, "", &|place| !known.contains(place))?;
        tree.pack(BufWriter::new(File::create(stage.join("cpio"))?))?;
        fs::remove_dir_all(&root).context("cannot remove the unpacked packages")
    })?;
    Ok(folder.join("cpio"))
}
