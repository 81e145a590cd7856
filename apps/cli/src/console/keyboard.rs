//! What is typed. A terminal passes every key on as it is, but for the one that leaves the console.

use std::fmt;
use std::future::{pending, poll_fn};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;

use morgana_hal::ByteStream;
use morgana_linux::{Reactor, Source};
use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};

use super::tty::Tty;

/// Ctrl-], as for `xl console`, telnet and virsh.
const ESCAPE: u8 = 0x1d;
/// Bytes that are passed on at once.
const PIECE: usize = 512;

/// Why no more is passed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Typed {
    /// The user wants to leave.
    Escape,
    /// xenconsoled has closed its end. What was typed waits for the next one.
    TtyGone,
}

/// Standard input.
pub(super) struct Keyboard {
    /// From a thread that does nothing but read: standard input is shared with whoever started this program, so it is to stay one that blocks.
    keys: Source<UnixStream>,
    /// If it is a terminal.
    raw: Option<Raw>,
    /// What was typed and is not passed on yet.
    waiting: Vec<u8>,
    /// Nothing more comes.
    at_end: bool,
}

/// Whether somebody sits before it.
pub(super) fn is_terminal() -> bool {
    isatty(stdin())
}

impl Keyboard {
    pub(super) fn open(reactor: &Reactor) -> io::Result<Self> {
        let (ours, mut theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let keys = reactor.register(ours)?;
        // It ends with the program, or when there is nothing more to be read.
        thread::spawn(move || io::copy(&mut io::stdin().lock(), &mut theirs));
        let raw = match is_terminal() {
            true => Some(Raw::make(stdin().try_clone_to_owned()?)?),
            false => None,
        };
        Ok(Self::of(keys, raw))
    }

    fn of(keys: Source<UnixStream>, raw: Option<Raw>) -> Self {
        Self {
            keys,
            raw,
            waiting: Vec::new(),
            at_end: false,
        }
    }

    /// Says how to leave, to somebody who can.
    pub(super) fn greet(&self) {
        if self.raw.is_some() {
            // Nobody is left to be told if that fails.
            let _ = write!(io::stderr(), "morgana: Ctrl-] leaves the console\r\n");
        }
    }

    /// Passes on what is typed.
    pub(super) async fn pass(&mut self, tty: &Tty) -> Typed {
        loop {
            let kept = match self.raw {
                Some(_) => self.waiting.iter().position(|&byte| byte == ESCAPE),
                None => None,
            };
            let len = kept.unwrap_or(self.waiting.len());
            if len > 0 {
                let passed = poll_fn(|cx| tty.io.poll_write(cx, &self.waiting[..len])).await;
                let Ok(passed) = passed else {
                    return Typed::TtyGone;
                };
                self.waiting.drain(..passed);
            } else if kept.is_some() {
                return Typed::Escape;
            } else {
                self.read().await;
            }
        }
    }

    async fn read(&mut self) {
        if self.at_end {
            pending::<()>().await;
        }
        let mut piece = [0; PIECE];
        match poll_fn(|cx| self.keys.poll_read(cx, &mut piece)).await {
            Ok(len) => self.waiting.extend(&piece[..len]),
            Err(_) => self.at_end = true,
        }
    }
}

/// A terminal that passes every key on as it is, until this is dropped.
struct Raw {
    terminal: OwnedFd,
    before: Termios,
}

impl Raw {
    fn make(terminal: OwnedFd) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // There is nobody to be told.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

impl fmt::Debug for Keyboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyboard").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use morgana_exec::{Either, Executor, select};
    use morgana_linux::{HasReactor, LinuxClock, ReactorIdle};
    use rustix::fs::{OFlags, fcntl_setfl};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::LocalModes;
    use std::fs::File;

    use super::*;

    /// A pseudo-terminal: one side, and the path of the other.
    fn terminal() -> (OwnedFd, String) {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        fcntl_setfl(&ours, OFlags::NONBLOCK).unwrap();
        let path = ptsname(&ours, Vec::new()).unwrap();
        (ours, path.into_string().unwrap())
    }

    /// The other side.
    fn other(path: &str) -> OwnedFd {
        let file = File::options().read(true).write(true).open(path);
        file.unwrap().into()
    }

    fn is_canonical(terminal: &OwnedFd) -> bool {
        let modes = tcgetattr(terminal).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// What reaches the domain of `typed` and the end of the input, until `expected` bytes have; and whether the user leaves.
    fn passed(raw: Option<Raw>, typed: &[u8], expected: usize) -> (Vec<u8>, Option<Typed>) {
        let mut idle = ReactorIdle::new().unwrap();
        let reactor = idle.reactor().clone();
        let (daemon, path) = terminal();
        let daemon = reactor.register(daemon).unwrap();
        let _raw = Raw::make(other(&path)).unwrap();
        let tty = Tty::open(path, &reactor).unwrap();
        let (ours, mut user) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut keyboard = Keyboard::of(reactor.register(ours).unwrap(), raw);
        user.write_all(typed).unwrap();
        drop(user);
        let received = async move {
            let (mut all, mut piece) = (Vec::new(), [0; 16]);
            while all.len() < expected {
                let len = poll_fn(|cx| daemon.poll_read(cx, &mut piece)).await;
                all.extend(&piece[..len.unwrap()]);
            }
            all
        };
        let both = async move {
            let mut received = core::pin::pin!(received);
            match select(keyboard.pass(&tty), received.as_mut()).await {
                Either::First(left) => (received.await, Some(left)),
                Either::Second(all) => (all, None),
            }
        };
        Executor::new().block_on(both, &mut idle, &LinuxClock)
    }

    #[test]
    fn keys_pass_as_they_are_until_the_escape() {
        let (_user, path) = terminal();
        let raw = Raw::make(other(&path)).unwrap();
        let (all, left) = passed(Some(raw), b"a\x03\r\x1d tail", 3);
        assert_eq!((&all[..], left), (&b"a\x03\r"[..], Some(Typed::Escape)));
    }

    #[test]
    fn what_is_no_terminal_has_no_escape_and_its_end_is_no_reason_to_leave() {
        let (all, left) = passed(None, b"a\x1db", 3);
        assert_eq!((&all[..], left), (&b"a\x1db"[..], None));
    }

    #[test]
    fn the_terminal_is_as_it_was_before() {
        let (_user, path) = terminal();
        let terminal = other(&path);
        assert!(is_canonical(&terminal));
        let raw = Raw::make(other(&path)).unwrap();
        assert!(!is_canonical(&terminal));
        drop(raw);
        assert!(is_canonical(&terminal));
    }

    #[test]
    fn only_a_terminal_is_taken_for_one() {
        let idle = ReactorIdle::new().unwrap();
        for path in ["/dev/null", "/dev/pts/../null", "/dev/pts/no-such", "hello"] {
            let opened = Tty::open(path.to_owned(), idle.reactor());
            assert!(opened.is_err(), "{path}");
        }
    }
}
