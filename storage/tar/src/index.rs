//! Where what is in an archive.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use crate::{Fault, Limits};

/// A file or directory in an archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    path: &'a str,
    place: Place,
}

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

impl<'a> Entry<'a> {
    /// Its path: names with `/` between them, and none before or behind.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.place.kind
    }

    /// Bytes of a file.
    pub fn size(&self) -> u64 {
        self.place.size
    }

    /// When it was changed, in seconds since 1970; 0 if that is not told.
    pub fn modified(&self) -> u64 {
        self.place.modified
    }

    /// Where its bytes begin on the device.
    pub(crate) fn start(&self) -> u64 {
        self.place.start
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) start: u64,
    pub(crate) size: u64,
    pub(crate) modified: u64,
}

/// All entries, by their paths.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: BTreeMap<Box<str>, Place>,
    path_bytes: usize,
    /// Entries that there were, whatever has become of them.
    seen: usize,
    /// Entries that are neither files nor directories.
    pub(crate) passed_over: usize,
}

impl Index {
    /// Adds an entry, or replaces an earlier one of the same path. The root has no entry.
    pub(crate) fn add(&mut self, path: Box<str>, place: Place) {
        self.seen += 1;
        if !path.is_empty() {
            self.path_bytes += path.len();
            self.entries.insert(path, place);
        }
    }

    /// Counts an entry that is neither a file nor a directory.
    pub(crate) fn pass_over(&mut self) {
        self.seen += 1;
        self.passed_over += 1;
    }

    /// Whether there are no more than there may be.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Fault> {
        if self.seen > limits.entries || self.path_bytes > limits.path_bytes {
            return Err(Fault::TooManyEntries);
        }
        Ok(())
    }

    pub(crate) fn find(&self, path: &str) -> Option<Entry<'_>> {
        let (path, &place) = self.entries.get_key_value(path)?;
        Some(Entry { path, place })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries
            .iter()
            .map(|(path, &place)| Entry { path, place })
    }
}
