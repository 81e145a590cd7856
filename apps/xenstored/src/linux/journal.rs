//! The file in which the daemon keeps what the next one needs after a crash.
//!
//! It lies in a memory file system, so it outlasts the process and not the machine, like the domains. It is therefore never synced.

use std::cell::{Cell, RefCell};
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use morgana_hal::{DomId, PAGE_SIZE, Pages};
use morgana_linux::MappedFile;
use morgana_xenstored::{
    BootId, HEAD, Journal, Kept, Position, Quota, Recovered, Store, head, identify,
};
use rustix::fs::{FlockOperation, flock};

use super::slots::{self, RingSlot, SlotFile};
use super::socket;
use crate::arguments::{Domains, Options, Recovery};

/// Tells one boot of the machine from another.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Where the program before a live update had its journal.
pub(crate) const JOURNAL: &str = "MORGANA_XENSTORED_JOURNAL";

/// The longest journal that is read, in bytes.
const LONGEST: u64 = 4 << 30;

/// Changes take at least so many bytes before the state is written anew, and
const CHANGES: u64 = 1 << 20;
/// at least so many times as many as the state has.
const TIMES: u64 = 2;

/// So many pages of the file are in reach at a time.
const WINDOW: usize = 64;

/// A journal, or where one is to be. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct JournalFile(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    boot: BootId,
    /// How far the one goes that is written; where one would begin, if none is yet.
    position: Cell<Position>,
    slots: SlotFile,
    open: RefCell<Option<Open>>,
}

/// A journal that is written. It is locked as long as this process is there.
#[derive(Debug)]
struct Open {
    file: File,
    /// The part of the file that is written now, and where that begins.
    window: Option<(u64, MappedFile)>,
    len: u64,
    /// From this length on the state is to be written anew.
    long: u64,
}

impl JournalFile {
    /// Where the options want it to be; `None` if they want none.
    ///
    /// # Errors
    ///
    /// That the kernel does not tell which boot this is.
    pub(crate) fn of(options: &Options) -> io::Result<Option<Self>> {
        let path = match &options.journal {
            Some(path) => path.into(),
            None => beside(&socket::path(), ".journal"),
        };
        let boot = boot_id()?;
        let before = generation(&path, boot);
        let left = before.map_or(slots::State::Nothing, |_| slots::State::Left);
        let before = Position {
            generation: before.unwrap_or(0),
            frames: 0,
        };
        let journal = Self(Rc::new(Inner {
            boot,
            position: Cell::new(before.next_generation()),
            slots: SlotFile::new(rings_of(&path), left),
            open: RefCell::default(),
            path,
        }));
        if options.recovery == Recovery::On {
            return Ok(Some(journal));
        }
        // What it tells of is over, and no later daemon must go on from there.
        if journal.read().is_ok() {
            fs::remove_file(&journal.0.path)?;
            journal.0.slots.give_up();
        }
        Ok(None)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path.clone()
    }

    /// What a daemon has left here that has crashed since the machine was booted; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// That there is something, and it is not known what: domains that go by it must not find an empty tree.
    pub(crate) fn recover(&self, options: &Options) -> Result<Option<Recovered>, String> {
        let path = self.0.path.display();
        let left = match self.read() {
            Ok(left) => left,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(format!("{path}: another xenstored writes this journal"));
            }
            Err(error) => return self.without(options, &error.to_string()).map(|()| None),
        };
        match self.load(&left, options.quota) {
            Ok(None) => {
                log::info!("{path} is of an earlier boot: begins with an empty tree");
                Ok(None)
            }
            Ok(Some(recovered)) => {
                let Recovered {
                    reached, left_off, ..
                } = &recovered;
                let frames = reached.frames;
                log::warn!(
                    "goes on from {path} after a daemon that has ended: {frames} changes since its state"
                );
                if *left_off > 0 {
                    log::warn!(
                        "{path}: its last {left_off} bytes are no whole change and are left off"
                    );
                }
                Ok(Some(recovered))
            }
            Err(why) => self.without(options, &why).map(|()| None),
        }
    }

    fn load(&self, left: &[u8], quota: Quota) -> Result<Option<Recovered>, String> {
        let journal = Journal::new(left).map_err(|error| error.to_string())?;
        if journal.boot() != self.0.boot {
            return Ok(None);
        }
        let recovered = Store::recover(journal, quota);
        recovered.map(Some).map_err(|error| error.to_string())
    }

    /// The journal cannot be used. To begin with nothing is safe only where no domain knows of anything.
    fn without(&self, options: &Options, why: &str) -> Result<(), String> {
        let path = self.0.path.display();
        if options.domains == Domains::Served {
            return Err(format!(
                "{path}: {why}; domains that run know of a tree that is lost (--no-recovery begins with an empty one)"
            ));
        }
        let aside = beside(&self.0.path, ".bad");
        log::error!(
            "{path}: {why}; begins with an empty tree, and the file is moved to {}",
            aside.display()
        );
        // If it cannot be moved it is written over.
        let _ = fs::rename(&self.0.path, aside);
        Ok(())
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let file = File::open(&self.0.path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// How far it goes.
    pub(crate) fn position(&self) -> Position {
        self.0.position.get()
    }

    /// What is beside it.
    pub(crate) fn slot(&self, domain: DomId) -> Option<RingSlot> {
        self.0.slots.slot(domain)
    }

    /// That is of no use any longer.
    pub(crate) fn forget_slot(&self, domain: DomId) {
        self.0.slots.forget(domain);
    }

    /// Keeps what has changed.
    pub(crate) fn keep(&self, frame: &[u8]) -> Kept {
        let mut open = self.0.open.borrow_mut();
        let Some(journal) = open.as_mut() else {
            return Kept::No;
        };
        match journal.append(frame) {
            Ok(()) => {
                self.0.position.set(self.position().next_frame());
                if journal.len < journal.long {
                    Kept::Yes
                } else {
                    Kept::Long
                }
            }
            Err(error) => {
                let file = open.take().map(|journal| journal.file);
                self.give_up(file.as_ref(), &error)
            }
        }
    }

    /// Keeps the whole state in place of all that was kept.
    pub(crate) fn keep_state(&self, state: &[u8]) -> Kept {
        let mut position = self.position();
        if self.0.open.borrow().is_some() {
            position = position.next_generation();
        }
        match self.write(position.generation, state) {
            Ok(journal) => {
                self.0.open.replace(Some(journal));
                self.0.position.set(position);
                Kept::Yes
            }
            Err(error) => {
                let file = self.0.open.take().map(|journal| journal.file);
                self.give_up(file.as_ref(), &error)
            }
        }
    }

    fn write(&self, generation: u32, state: &[u8]) -> io::Result<Open> {
        let path = &self.0.path;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = beside(path, ".new");
        let mut options = File::options();
        let options = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600);
        let mut file = options.open(&new)?;
        // Before it has its name: nobody must take it for the journal of a daemon that has ended.
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        file.write_all(&head(self.0.boot, generation, state))?;
        file.write_all(state)?;
        fs::rename(&new, path)?;
        let state = state.len() as u64;
        let len = HEAD as u64 + state;
        Ok(Open {
            file,
            window: None,
            len,
            long: len + CHANGES.max(TIMES * state),
        })
    }

    /// Nothing more is kept. What was is of no use then, and would be worse than nothing.
    fn give_up(&self, file: Option<&File>, error: &io::Error) -> Kept {
        let path = &self.0.path;
        log::error!(
            "{}: {error}: from now on the tree would be lost in a crash (until a live update)",
            path.display()
        );
        self.0.slots.give_up();
        let emptied = file.map(|file| file.set_len(0));
        let _ = fs::remove_file(beside(path, ".new"));
        if fs::remove_file(path).is_err() && !matches!(emptied, Some(Ok(()))) {
            log::error!(
                "{}: it cannot be removed, and is not to be used",
                path.display()
            );
        }
        Kept::No
    }
}

impl Open {
    /// Without a system call, but for one time in many: journals are written all the time.
    fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        let has_room = self.window.as_ref().is_some_and(|(start, window)| {
            self.len + frame.len() as u64 <= start + window.region().len() as u64
        });
        if !has_room {
            let start = self.len - self.len % PAGE_SIZE as u64;
            let behind = (self.len - start) as usize + frame.len();
            let pages = behind.div_ceil(PAGE_SIZE).max(WINDOW);
            self.window = None;
            self.window = Some((start, MappedFile::new(&self.file, start, pages)?));
        }
        if let Some((start, window)) = &self.window {
            window.region().write((self.len - start) as usize, frame);
            self.len += frame.len() as u64;
        }
        Ok(())
    }
}

/// After a live update by a program that keeps its journal elsewhere, or nowhere, that of the program before tells of what was once.
pub(crate) fn forget_other(own: Option<&Path>) {
    let before = env::var_os(JOURNAL).map(PathBuf::from);
    if let Some(before) = before.filter(|before| own != Some(before.as_path())) {
        let _ = fs::remove_file(&before);
        let _ = fs::remove_file(rings_of(&before));
    }
}

/// Beside a journal: what is under way in the rings of domains.
fn rings_of(journal: &Path) -> PathBuf {
    beside(journal, ".rings")
}

/// Which generation the journal is of that is there, if it is of this boot.
fn generation(path: &Path, boot: BootId) -> Option<u32> {
    let mut head = [0; HEAD];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    let (of, generation) = identify(&head)?;
    (of == boot).then_some(generation)
}

/// The path with something behind its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn boot_id() -> io::Result<BootId> {
    let text = fs::read_to_string(BOOT)?;
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    let mut id = BootId([0; 16]);
    for (byte, pair) in id.0.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (pair[0] << 4 | pair[1]) as u8;
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use morgana_xenstored::Resource;

    fn place(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xenstored-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn journal(folder: &Path) -> (JournalFile, Options) {
        let options = Options {
            journal: Some(folder.join("journal").to_str().unwrap().into()),
            ..Options::default()
        };
        (JournalFile::of(&options).unwrap().unwrap(), options)
    }

    #[test]
    fn on_a_full_disk_nothing_is_kept_and_nothing_old_is_left() {
        let folder = place("full");
        let (journal, _) = journal(&folder);
        let state = Store::new(Quota::default()).lasting().unwrap();
        assert_eq!(journal.keep_state(&state), Kept::Yes);
        assert_eq!(journal.keep(&[0; 16]), Kept::Yes);
        // What is mapped is there for good.
        journal.0.open.borrow_mut().as_mut().unwrap().file = File::options()
            .read(true)
            .write(true)
            .open("/dev/full")
            .unwrap();
        assert_eq!(journal.keep(&[0; 16]), Kept::Yes);
        assert_eq!(journal.keep(&[0; WINDOW * PAGE_SIZE]), Kept::No);
        assert_eq!(journal.keep(&[0; 16]), Kept::No);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn one_of_another_boot_or_that_is_damaged_is_not_gone_on_from() {
        let folder = place("boots");
        let (journal, mut options) = journal(&folder);
        let mut quota = Quota::default();
        *quota.limit_mut(Resource::Nodes) = 7;
        let state = Store::new(quota).lasting().unwrap();
        assert_eq!(journal.keep_state(&state), Kept::Yes);
        journal.0.open.take();
        assert!(journal.recover(&options).unwrap().is_some());
        let path = journal.0.path.clone();
        let good = fs::read(&path).unwrap();
        let earlier = [&head(BootId([1; 16]), 1, &state)[..], &state].concat();
        fs::write(&path, earlier).unwrap();
        assert!(journal.recover(&options).unwrap().is_none());
        // Where domains run, an empty tree is what somebody has to want.
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        let refused = journal.recover(&options).unwrap_err();
        assert!(
            refused.contains("--no-recovery") && refused.contains("damaged"),
            "{refused}"
        );
        assert!(path.exists());
        options.domains = Domains::None;
        assert!(journal.recover(&options).unwrap().is_none());
        assert!(!path.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn it_is_long_when_changes_outweigh_the_state() {
        let folder = place("long");
        let (journal, _) = journal(&folder);
        let state = Store::new(Quota::default()).lasting().unwrap();
        assert_eq!(journal.keep_state(&state), Kept::Yes);
        let frame = [0; 1 << 16];
        let kept = (0..16).map(|_| journal.keep(&frame)).collect::<Vec<_>>();
        assert_eq!(kept.last(), Some(&Kept::Long));
        assert_eq!(
            fs::metadata(&journal.0.path).unwrap().len() % PAGE_SIZE as u64,
            0
        );
        assert!(kept[..15].iter().all(|kept| *kept == Kept::Yes));
        assert_eq!(journal.keep_state(&state), Kept::Yes);
        assert_eq!(journal.keep(&frame), Kept::Yes);
        fs::remove_dir_all(folder).unwrap();
    }
}
