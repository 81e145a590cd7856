//! Two nodes over a stream in memory: the examples of docs/actors.md in one program. `cargo run -p morgana-actors --example two_nodes`.

use std::error::Error;
use std::time::Duration;

use morgana_actors::{
    Actor, Backoff, Child, ChildOptions, Context, EncodeError, Failure, Flow, Identity, Intensity,
    Malformed, MessageType, Node, Peer, Protocol, Reader, RemoteLimits, Reply, Stop, Strategy,
    Supervisor, Wire, Writer,
};
use morgana_exec::{Executor, Handle, ManualClock, duplex};

enum Message {
    Add(u32),
    Sum(Reply<u32>),
}

impl Protocol for Message {
    const TYPE: MessageType = MessageType::new("counter", 1);
}

impl Wire for Message {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Add(number) => {
                0u8.encode(writer)?;
                number.encode(writer)
            }
            Self::Sum(reply) => {
                1u8.encode(writer)?;
                reply.encode(writer)
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match u8::decode(reader)? {
            0 => Ok(Self::Add(u32::decode(reader)?)),
            1 => Ok(Self::Sum(Reply::decode(reader)?)),
            _ => Err(Malformed::Value),
        }
    }
}

struct Counter(u32);

impl Actor for Counter {
    type Message = Message;

    async fn handle(&mut self, message: Message, _: &Context<Message>) -> Result<Flow, Failure> {
        match message {
            Message::Add(number) => {
                self.0 = self.0.checked_add(number).ok_or(Failure("overflow"))?;
            }
            Message::Sum(reply) => reply.send(self.0),
        }
        Ok(Flow::Continue)
    }
}

async fn example(tasks: Handle) -> Result<u32, Box<dyn Error>> {
    let backoff = Backoff {
        first: Duration::from_millis(50),
        most: Duration::from_secs(5),
    };
    let (counter, child) = Child::actor(ChildOptions::DEFAULT, || Counter(0));
    let supervision = Supervisor::new(Strategy::OneForOne, Intensity::DEFAULT, backoff, 1)
        .with(child)
        .start(&tasks)?;

    let node = |node| {
        let identity = Identity {
            node,
            incarnation: 1,
        };
        Node::new(&tasks, identity, RemoteLimits::DEFAULT)
    };
    let server = node(1);
    server.register("counter", &counter)?;
    let dial = {
        let tasks = tasks.clone();
        move || {
            // Here the server is called at once; elsewhere this is `Place::dial`, and the server accepts.
            let (ours, theirs) = duplex(4096);
            let (_link, connection) = server.attach(theirs);
            let served = tasks.spawn(connection);
            async move { served.map(|_| ours) }
        }
    };
    let peer = Peer::start(&tasks, &node(2), dial, backoff, 2)?;
    let counter = peer.link().await.lookup::<Message>("counter", 16).await?;
    counter.send(Message::Add(2)).await?;
    counter.send(Message::Add(3)).await?;
    let second = Duration::from_secs(1);
    let sum = counter
        .request(&tasks.timers(), second, Message::Sum)
        .await?;

    supervision.stop(Stop::Drain);
    supervision.await;
    Ok(sum)
}

fn main() {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let sum = executor.block_on(example(tasks), &mut clock.idle(), &clock);
    println!("{sum:?}");
}
