//! The sockets of local clients, all together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::rc::{Rc, Weak};

use morgana_reactor::Source;
use morgana_xenstored::Descriptor;
use rustix::io::{FdFlags, fcntl_setfd};

/// What becomes of a descriptor when another program takes over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OnExec {
    Kept,
    Closed,
}

/// The sockets that are open.
#[derive(Debug, Default)]
pub(crate) struct Sockets(RefCell<BTreeMap<Descriptor, Weak<Source<UnixStream>>>>);

impl Sockets {
    /// Knows of a socket for as long as it is there.
    pub(crate) fn add(&self, socket: &Rc<Source<UnixStream>>) {
        let mut sockets = self.0.borrow_mut();
        sockets.retain(|_, known| known.strong_count() > 0);
        sockets.insert(number(socket.io()), Rc::downgrade(socket));
    }

    /// Says what becomes of all of them when another program takes over.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn on_exec(&self, fate: OnExec) -> io::Result<()> {
        let sockets = self.0.borrow();
        let mut open = sockets.values().filter_map(Weak::upgrade);
        open.try_for_each(|socket| on_exec(socket.io().as_fd(), fate))
    }
}

/// The number by which another program finds it.
pub(crate) fn number(descriptor: &impl AsRawFd) -> Descriptor {
    Descriptor(descriptor.as_raw_fd())
}

/// Says what becomes of a descriptor when another program takes over.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn on_exec(descriptor: BorrowedFd<'_>, fate: OnExec) -> io::Result<()> {
    let flags = match fate {
        OnExec::Kept => FdFlags::empty(),
        OnExec::Closed => FdFlags::CLOEXEC,
    };
    Ok(fcntl_setfd(descriptor, flags)?)
}
