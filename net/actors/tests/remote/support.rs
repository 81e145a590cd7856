//! A counter that can be reached from another node, and two nodes.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use morgana_actors::{
    Actor, Address, Context, EncodeError, Failure, Flow, Identity, Malformed, MessageType, Node,
    Protocol, Reader, RemoteLimits, Reply, Wire, Writer, spawn,
};
use morgana_exec::{Duplex, Executor, Handle, ManualClock};
use morgana_hal::{ByteStream, StreamError};

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) enum Message {
    Note(u64),
    Sleep(u64),
    Fail,
    Seen(Reply<Vec<u64>>),
    Forget(Reply<()>),
    Long(Vec<u8>),
}

impl Protocol for Message {
    const TYPE: MessageType = MessageType::new("clerk", 1);
}

impl Wire for Message {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Note(number) => (0u8.encode(writer)?, number.encode(writer)?).1,
            Self::Sleep(ms) => (1u8.encode(writer)?, ms.encode(writer)?).1,
            Self::Fail => 2u8.encode(writer)?,
            Self::Seen(reply) => (3u8.encode(writer)?, reply.encode(writer)?).1,
            Self::Forget(reply) => (4u8.encode(writer)?, reply.encode(writer)?).1,
            Self::Long(bytes) => (5u8.encode(writer)?, bytes.encode(writer)?).1,
        }
        Ok(())
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match u8::decode(reader)? {
            0 => Self::Note(u64::decode(reader)?),
            1 => Self::Sleep(u64::decode(reader)?),
            2 => Self::Fail,
            3 => Self::Seen(Reply::decode(reader)?),
            4 => Self::Forget(Reply::decode(reader)?),
            5 => Self::Long(Vec::decode(reader)?),
            _ => return Err(Malformed::Value),
        })
    }
}

/// Remembers its notes, also for the test.
pub(crate) struct Clerk(pub(crate) Rc<RefCell<Vec<u64>>>);

impl Actor for Clerk {
    type Message = Message;

    async fn handle(
        &mut self,
        message: Message,
        context: &Context<Message>,
    ) -> Result<Flow, Failure> {
        match message {
            Message::Note(number) => self.0.borrow_mut().push(number),
            Message::Sleep(ms) => {
                context
                    .timers()
                    .sleep(MS * u32::try_from(ms).unwrap())
                    .await
            }
            Message::Fail => return Err(Failure("asked to")),
            Message::Seen(reply) => reply.send(self.0.borrow().clone()),
            Message::Forget(reply) => drop(reply),
            Message::Long(bytes) => drop(bytes),
        }
        Ok(Flow::Continue)
    }
}

pub(crate) type Notes = Rc<RefCell<Vec<u64>>>;

/// A node with a clerk under the name `clerk`.
pub(crate) fn server(tasks: &Handle, incarnation: u64) -> (Node, Address<Message>, Notes) {
    let notes = Notes::default();
    let node = node(tasks, 1, incarnation);
    let clerk = spawn(tasks, 4, Clerk(notes.clone())).unwrap();
    node.register("clerk", &clerk).unwrap();
    (node, clerk, notes)
}

pub(crate) fn node(tasks: &Handle, node: u64, incarnation: u64) -> Node {
    Node::new(tasks, Identity { node, incarnation }, RemoteLimits::DEFAULT)
}

pub(crate) fn run<F: Future<Output = ()> + 'static>(test: impl FnOnce(Handle) -> F) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let main = test(executor.handle());
    executor.block_on(main, &mut clock.idle(), &clock);
}

/// A stream that breaks after so many bytes that were read, and reads in pieces of a few.
pub(crate) struct Torn {
    pub(crate) stream: Duplex,
    pub(crate) left: std::cell::Cell<usize>,
    pub(crate) piece: usize,
}

impl ByteStream for Torn {
    fn poll_read(
        &self,
        cx: &mut Poller<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        let most = buffer.len().min(self.piece).min(self.left.get());
        if most == 0 {
            return Poll::Ready(Err(StreamError::Closed));
        }
        let result = self.stream.poll_read(cx, &mut buffer[..most]);
        if let Poll::Ready(Ok(len)) = result {
            self.left.set(self.left.get() - len);
        }
        result
    }

    fn poll_write(&self, cx: &mut Poller<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.stream
            .poll_write(cx, &bytes[..bytes.len().min(self.piece)])
    }
}

pub(crate) async fn write_all(stream: &Duplex, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let len = poll_fn(|cx| stream.poll_write(cx, bytes)).await.unwrap();
        bytes = &bytes[len..];
    }
}
