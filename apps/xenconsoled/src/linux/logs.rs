//! The files of logs.

use core::cell::RefCell;
use core::task::{Context, Poll};
use std::io;
use std::path::PathBuf;
use std::rc::{Rc, Weak};

use morgana_daemon::{LogFile, Rotation};
use morgana_xenconsoled::{Log, Stamps};

use super::arguments::Settings;

/// All logs that are open.
#[derive(Debug)]
pub(crate) struct Logs {
    folder: PathBuf,
    rotation: Rotation,
    /// Whether guests' consoles are logged.
    pub(crate) guests: bool,
    /// Whether lines begin with the time. Else it is noted beside the log.
    guest_stamps: Stamps,
    hypervisor_stamps: Stamps,
    open: RefCell<Vec<Weak<RefCell<LogFile>>>>,
}

/// One log.
#[derive(Debug)]
pub(crate) struct FileLog(Rc<RefCell<LogFile>>);

impl Logs {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            folder: settings.folder.clone(),
            rotation: settings.rotation,
            guests: settings.logged.guests(),
            guest_stamps: settings.guests.stamps,
            hypervisor_stamps: settings.stamped.hypervisor_stamps(),
            open: RefCell::default(),
        }
    }

    /// Opens the log of the guest whose name this is as a part of a file's.
    ///
    /// # Errors
    ///
    /// The file's, with its name.
    pub(crate) fn open_guest(&self, name: &str) -> Result<FileLog, String> {
        self.open(&format!("guest-{name}"), self.guest_stamps)
    }

    /// Opens Xen's own log.
    ///
    /// # Errors
    ///
    /// The file's, with its name.
    pub(crate) fn open_hypervisor(&self) -> Result<FileLog, String> {
        self.open("hypervisor", self.hypervisor_stamps)
    }

    /// Opens the log of this name; its end is added to.
    fn open(&self, name: &str, stamps: Stamps) -> Result<FileLog, String> {
        let path = self.folder.join(format!("{name}.log"));
        let named = |error: io::Error| format!("{}: {error}", path.display());
        let file = match stamps {
            Stamps::Time => LogFile::open(&path, self.rotation),
            Stamps::None => LogFile::open_timed(&path, self.rotation),
        };
        let file = file.map_err(named)?;
        let file = Rc::new(RefCell::new(file));
        let mut open = self.open.borrow_mut();
        open.retain(|other| other.strong_count() > 0);
        open.push(Rc::downgrade(&file));
        Ok(FileLog(file))
    }

    /// Opens all of them anew.
    pub(crate) fn reopen(&self) {
        for log in self.open.borrow().iter().filter_map(Weak::upgrade) {
            let mut log = log.borrow_mut();
            match log.reopened() {
                Ok(new) => *log = new,
                // The old file is better than none.
                Err(error) => log::error!("{}: {error}", log.path().display()),
            }
        }
    }
}

impl FileLog {
    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// The file's.
    pub(crate) fn add(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().add(bytes)
    }
}

impl Log for FileLog {
    type Error = io::Error;

    /// Files do not make anybody wait.
    fn poll_add(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.add(bytes).map(|()| bytes.len()))
    }
}
