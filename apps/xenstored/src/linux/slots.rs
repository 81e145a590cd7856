//! The file beside the journal that has a place for each domain, for what is under way in its ring.
//!
//! A place is found by the domain's number. Where there are none the file has holes, so it takes only as much memory as the domains that are served.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use morgana_hal::{DomId, PAGE_SIZE, Pages};
use morgana_linux::MappedFile;
use morgana_xenstored::{SLOT, Slot};
use rustix::fs::{FallocateFlags, fallocate};

/// The file, or where one is to be.
#[derive(Debug)]
pub(crate) struct SlotFile {
    path: PathBuf,
    state: RefCell<State>,
}

/// What there is.
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing, or nothing that counts.
    Nothing,
    /// What the daemon before has left.
    Left,
    Open(File),
    /// It could not be used.
    GivenUp,
}

/// A domain's place. Only this process writes it.
#[derive(Debug)]
pub(crate) struct RingSlot(MappedFile);

impl Slot for RingSlot {
    fn write(&self, at: usize, bytes: &[u8]) {
        self.0.region().write(at, bytes);
    }

    fn read(&self, at: usize, into: &mut [u8]) {
        self.0.region().read(at, into);
    }
}

impl SlotFile {
    pub(crate) fn new(path: PathBuf, state: State) -> Self {
        let state = RefCell::new(state);
        Self { path, state }
    }

    /// A domain's place: zeros, or what the daemon before has left there.
    pub(crate) fn slot(&self, domain: DomId) -> Option<RingSlot> {
        match self.map(domain) {
            Ok(slot) => slot,
            Err(error) => {
                log::error!(
                    "{}: {error}: requests that are under way would be lost in a crash (until a live update)",
                    self.path.display()
                );
                self.give_up();
                None
            }
        }
    }

    fn map(&self, domain: DomId) -> io::Result<Option<RingSlot>> {
        let state = &mut *self.state.borrow_mut();
        if matches!(state, State::Nothing | State::Left) {
            let is_left = matches!(state, State::Left);
            *state = State::Open(open(&self.path, !is_left)?);
        }
        let State::Open(file) = state else {
            return Ok(None);
        };
        let mapped = MappedFile::new(file, place(domain), SLOT / PAGE_SIZE)?;
        Ok(Some(RingSlot(mapped)))
    }

    /// The domain is served no longer: its place takes no memory then.
    pub(crate) fn forget(&self, domain: DomId) {
        if let State::Open(file) = &*self.state.borrow() {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Where there can be no holes it stays until another domain has the number, which does not go by it.
            let _ = fallocate(file, flags, place(domain), SLOT as u64);
        }
    }

    /// Nothing is kept any longer. Who was told of its place may go on to write there.
    pub(crate) fn give_up(&self) {
        self.state.replace(State::GivenUp);
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path, truncate: bool) -> io::Result<File> {
    let mut options = File::options();
    let options = options.read(true).write(true).create(true);
    options.truncate(truncate).mode(0o600).open(path)
}

/// Where it begins.
fn place(domain: DomId) -> u64 {
    u64::from(domain.number()) * SLOT as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn places_keep_apart_and_outlast_the_file_that_was_open() {
        let folder = std::env::temp_dir().join(format!("xenstored-slots-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("rings");
        let read = |file: &SlotFile, domain| {
            let mut bytes = [0; 4];
            let slot = file.slot(DomId::new(domain)).unwrap();
            slot.read(SLOT - 4, &mut bytes);
            bytes
        };
        let file = SlotFile::new(path.clone(), State::Nothing);
        for domain in [0, 7, 8] {
            let slot = file.slot(DomId::new(domain)).unwrap();
            slot.write(SLOT - 4, &[b'a' + domain as u8; 4]);
        }
        file.forget(DomId::new(7));
        let next = SlotFile::new(path.clone(), State::Left);
        assert_eq!(
            [0, 7, 8].map(|domain| read(&next, domain)),
            [*b"aaaa", [0; 4], *b"iiii"]
        );
        let anew = SlotFile::new(path.clone(), State::Nothing);
        assert_eq!(read(&anew, 8), [0; 4]);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        anew.give_up();
        assert!(!path.exists() && anew.slot(DomId::new(8)).is_none());
        // A folder that there is not is told of, and that is all.
        let nowhere = SlotFile::new(folder.join("not/there"), State::Nothing);
        assert!(nowhere.slot(DomId::new(0)).is_none());
        fs::remove_dir_all(folder).unwrap();
    }
}
