//! A stream in memory, and an executor whose clock stands still until a test moves it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use morgana_exec::Executor;
use morgana_hal::Instant;
use morgana_http::{End, Handler, Limits, Server};

/// Both directions of a connection.
#[derive(Debug)]
struct Pipe {
    to_server: VecDeque<u8>,
    closed: bool,
    broken: bool,
    to_client: Vec<u8>,
    /// How many bytes the server may still write before it has to wait.
    window: usize,
    /// The most that one read or write moves.
    piece: usize,
    writes: usize,
    waiting: Vec<Waker>,
}

impl Pipe {
    fn wait<T>(&mut self, context: &Context<'_>) -> Poll<T> {
        self.waiting.push(context.waker().clone());
        Poll::Pending
    }

    fn wake(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

/// The server's end.
#[derive(Debug)]
pub(crate) struct Stream(Rc<RefCell<Pipe>>);

impl ErrorType for Stream {
    type Error = ErrorKind;
}

impl Read for Stream {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|context| {
            let mut pipe = self.0.borrow_mut();
            if pipe.broken {
                return Poll::Ready(Err(ErrorKind::ConnectionReset));
            }
            if pipe.to_server.is_empty() && !pipe.closed {
                return pipe.wait(context);
            }
            let count = room.len().min(pipe.to_server.len()).min(pipe.piece);
            for (to, from) in room.iter_mut().zip(pipe.to_server.drain(..count)) {
                *to = from;
            }
            Poll::Ready(Ok(count))
        })
        .await
    }
}

impl Write for Stream {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|context| {
            let mut pipe = self.0.borrow_mut();
            if pipe.broken {
                return Poll::Ready(Err(ErrorKind::ConnectionReset));
            }
            let count = bytes.len().min(pipe.window).min(pipe.piece);
            if count == 0 {
                return pipe.wait(context);
            }
            pipe.window -= count;
            pipe.writes += 1;
            pipe.to_client.extend_from_slice(&bytes[..count]);
            Poll::Ready(Ok(count))
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// The client's end, and how the server's task fares.
#[derive(Debug)]
pub(crate) struct Client {
    pipe: Rc<RefCell<Pipe>>,
    end: Rc<RefCell<Option<End>>>,
}

impl Client {
    /// Sends bytes.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) {
        let mut pipe = self.pipe.borrow_mut();
        pipe.to_server.extend(bytes.as_ref());
        pipe.wake();
    }

    /// Sends nothing more.
    pub(crate) fn close(&self) {
        let mut pipe = self.pipe.borrow_mut();
        pipe.closed = true;
        pipe.wake();
    }

    /// Makes every further read and write of the server fail.
    pub(crate) fn break_off(&self) {
        let mut pipe = self.pipe.borrow_mut();
        pipe.broken = true;
        pipe.wake();
    }

    /// Lets the server write no more than so many bytes, until told otherwise.
    pub(crate) fn set_window(&self, bytes: usize) {
        let mut pipe = self.pipe.borrow_mut();
        pipe.window = bytes;
        pipe.wake();
    }

    /// Lets each read and write move no more than so many bytes.
    pub(crate) fn set_piece(&self, bytes: usize) {
        self.pipe.borrow_mut().piece = bytes;
    }

    /// How many writes the server has made.
    pub(crate) fn writes(&self) -> usize {
        self.pipe.borrow().writes
    }

    /// What has come from the server since the last call.
    pub(crate) fn received(&self) -> Vec<u8> {
        std::mem::take(&mut self.pipe.borrow_mut().to_client)
    }

    /// The same as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.received()).expect("the answer is text")
    }

    /// Why the server ended the connection, if it has.
    pub(crate) fn end(&self) -> Option<End> {
        *self.end.borrow()
    }
}

/// A server with its executor and clock.
#[allow(missing_debug_implementations)]
pub(crate) struct Rig<H> {
    pub(crate) server: Rc<Server<H>>,
    executor: Executor,
    now: Instant,
}

impl<H: Handler + 'static> Rig<H> {
    /// A server with this handler, which is made from the executor's timers.
    pub(crate) fn new(handler: impl FnOnce(morgana_exec::Timers) -> H, limits: Limits) -> Self {
        let executor = Executor::new();
        let timers = executor.handle().timers();
        let server = Rc::new(Server::new(handler(timers.clone()), timers, limits));
        Self {
            server,
            executor,
            now: Instant::ZERO,
        }
    }

    /// Opens a connection.
    pub(crate) fn connect(&mut self) -> Client {
        let pipe = Rc::new(RefCell::new(Pipe {
            to_server: VecDeque::new(),
            closed: false,
            broken: false,
            to_client: Vec::new(),
            window: usize::MAX,
            piece: usize::MAX,
            writes: 0,
            waiting: Vec::new(),
        }));
        let end = Rc::new(RefCell::new(None));
        let client = Client {
            pipe: pipe.clone(),
            end: end.clone(),
        };
        let server = self.server.clone();
        let task = async move {
            let peer = Some(std::net::Ipv4Addr::new(192, 0, 2, 7).into());
            let reason = server.serve_from(peer, &mut Stream(pipe)).await;
            *end.borrow_mut() = Some(reason);
        };
        drop(
            self.executor
                .handle()
                .spawn(task)
                .expect("the executor has room"),
        );
        client
    }

    /// Runs until nothing is ready; time stands still.
    pub(crate) fn settle(&mut self) {
        self.executor.turn(self.now);
        while self.executor.has_ready() {
            self.executor.turn(self.now);
        }
    }

    /// Lets time pass, and everything happen that falls into it.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        self.settle();
        while let Some(deadline) = self
            .executor
            .next_deadline()
            .filter(|&deadline| deadline <= until)
        {
            self.now = self.now.max(deadline);
            self.settle();
        }
        self.now = until;
        self.settle();
    }

    /// What the server answers to `bytes` on a fresh connection that the client then closes.
    pub(crate) fn answer(&mut self, bytes: impl AsRef<[u8]>) -> String {
        String::from_utf8(self.answer_bytes(bytes)).expect("the answer is text")
    }

    /// The same as bytes.
    pub(crate) fn answer_bytes(&mut self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let client = self.connect();
        client.send(bytes);
        client.close();
        self.settle();
        client.received()
    }
}
