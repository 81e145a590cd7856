//! The host's sockets as async streams: non-blocking, waited for with poll(2) where the executor sleeps.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Instant as HostInstant, SystemTime};

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use morgana_hal::{Clock, Idle, Instant, WallTime};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The host's clocks.
pub(crate) struct HostClock(HostInstant);

impl Default for HostClock {
    fn default() -> Self {
        Self(HostInstant::now())
    }
}

impl Clock for HostClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.elapsed().as_nanos() as u64)
    }

    fn wall(&self) -> WallTime {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        WallTime::from_unix_nanos(since.as_nanos() as u64)
    }
}

/// Who waits for which socket. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Reactor {
    waiting: Rc<RefCell<Vec<Waiting>>>,
}

struct Waiting {
    socket: Rc<dyn AsFd>,
    flags: PollFlags,
    waker: Waker,
}

impl Reactor {
    pub(crate) fn listen(&self, listener: TcpListener) -> io::Result<Accepting> {
        listener.set_nonblocking(true)?;
        Ok(Accepting {
            listener: Rc::new(listener),
            reactor: self.clone(),
        })
    }

    /// The executor's way to sleep.
    pub(crate) fn idle<'c>(&self, clock: &'c HostClock) -> HostIdle<'c> {
        HostIdle {
            reactor: self.clone(),
            clock,
        }
    }

    /// Runs `operation`, and waits for the socket where it would block.
    fn attempt<T, S: AsFd + 'static>(
        &self,
        context: &Context<'_>,
        socket: &Rc<S>,
        flags: PollFlags,
        operation: impl FnOnce(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        match operation(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.forget(socket);
                let (socket, waker) = (socket.clone(), context.waker().clone());
                self.waiting.borrow_mut().push(Waiting {
                    socket,
                    flags,
                    waker,
                });
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }

    fn forget<S>(&self, socket: &Rc<S>) {
        self.waiting
            .borrow_mut()
            .retain(|waiting| Rc::as_ptr(&waiting.socket).cast() != Rc::as_ptr(socket));
    }

    /// Wakes who waits for a socket that is ready, and waits for one first.
    fn poll(&self, timeout: Option<&Timespec>) -> usize {
        let mut waiting = self.waiting.borrow_mut();
        let mut sockets: Vec<_> = waiting
            .iter()
            .map(|waiting| PollFd::new(&waiting.socket, waiting.flags))
            .collect();
        // An interrupted wait is one that ended early, which is allowed.
        let count = poll(&mut sockets, timeout).unwrap_or(0);
        let ready: Vec<_> = sockets
            .iter()
            .map(|socket| !socket.revents().is_empty())
            .collect();
        drop(sockets);
        let mut ready = ready.into_iter();
        for woken in waiting.extract_if(.., |_| ready.next().unwrap_or(false)) {
            woken.waker.wake();
        }
        count
    }
}

/// Sleeps until a socket is ready.
pub(crate) struct HostIdle<'c> {
    reactor: Reactor,
    clock: &'c HostClock,
}

impl Idle for HostIdle<'_> {
    fn dispatch(&mut self) -> usize {
        self.reactor.poll(Some(&Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        }))
    }

    fn wait(&mut self, deadline: Option<Instant>) {
        let timeout = deadline.map(|deadline| deadline.since(self.clock.now()));
        self.reactor
            .poll(timeout.and_then(|timeout| timeout.try_into().ok()).as_ref());
    }
}

/// A listening socket.
pub(crate) struct Accepting {
    listener: Rc<TcpListener>,
    reactor: Reactor,
}

impl Accepting {
    pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
        let accepted = poll_fn(|context| {
            self.reactor
                .attempt(context, &self.listener, PollFlags::IN, TcpListener::accept)
        });
        let (socket, _) = accepted.await?;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        Ok(Stream {
            socket: Rc::new(socket),
            reactor: self.reactor.clone(),
        })
    }
}

/// A connected socket.
pub(crate) struct Stream {
    socket: Rc<TcpStream>,
    reactor: Reactor,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // What waited for it was given up, and would keep it open.
        self.reactor.forget(&self.socket);
    }
}

impl ErrorType for Stream {
    type Error = ErrorKind;
}

impl Read for Stream {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|context| {
            self.reactor
                .attempt(context, &self.socket, PollFlags::IN, |mut socket| {
                    socket.read(room)
                })
        })
        .await
        .map_err(|_| ErrorKind::Other)
    }
}

impl Write for Stream {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|context| {
            self.reactor
                .attempt(context, &self.socket, PollFlags::OUT, |mut socket| {
                    socket.write(bytes)
                })
        })
        .await
        .map_err(|_| ErrorKind::Other)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
