//! The server of `xenstored`, at a socket, in a thread of the test.

use core::future::poll_fn;
use std::convert::Infallible;
use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, JoinHandle};

use morgana_exec::{Executor, Handle, select};
use morgana_hal::{DomId, Port};
use morgana_linux::{LinuxClock, ReactorIdle};
use morgana_reactor::{Direction, HasReactor, Reactor, Source};
use morgana_xenstored::{Descriptor, IntroduceError, Quota, Rights, Rings, Server};

/// Ends with the value.
pub(crate) struct Daemon {
    thread: Option<JoinHandle<()>>,
    /// The thread ends when this is closed.
    stop: Option<UnixStream>,
}

impl Daemon {
    /// Serves at `path` when this returns.
    pub(crate) fn start(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, stopped) = UnixStream::pair().unwrap();
        stopped.set_nonblocking(true).unwrap();
        let thread = thread::spawn(move || serve(listener, stopped));
        Self {
            thread: Some(thread),
            stop: Some(stop),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only panics where a test has failed already.
            let _ = thread.join();
        }
    }
}

fn serve(listener: UnixListener, stopped: UnixStream) {
    let mut idle = ReactorIdle::new().unwrap();
    let reactor = idle.reactor().clone();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let quota = Quota::default();
    let server = Server::new(NoXen, &tasks, quota);
    let stopped = reactor.register(stopped).unwrap();
    let listener = reactor.register(listener).unwrap();
    let end = async move {
        let read = |mut io: &UnixStream| io.read(&mut [0]);
        let _ = poll_fn(|cx| stopped.poll_io(Direction::Read, cx, read)).await;
    };
    let both = async move {
        select(end, accept(server, listener, reactor, tasks)).await;
    };
    executor.block_on(both, &mut idle, &LinuxClock);
}

async fn accept(
    server: Server<NoXen>,
    listener: Source<UnixListener>,
    reactor: Reactor,
    _tasks: Handle,
) -> Infallible {
    loop {
        let accepted = poll_fn(|cx| listener.poll_io(Direction::Read, cx, UnixListener::accept));
        let (stream, _) = accepted.await.unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = reactor.register(stream).unwrap();
        server
            .connect(DomId::DOM0, stream, Descriptor(0), Rights::Control)
            .unwrap();
    }
}

/// A machine without domains.
struct NoXen;

impl Rings for NoXen {
    type Stream = Infallible;
    type Slot = Infallible;

    fn attach(&self, _: DomId, _: Port) -> Result<Infallible, IntroduceError> {
        Err(IntroduceError::NoDomains)
    }
}
