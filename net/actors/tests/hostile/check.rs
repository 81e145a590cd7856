//! The check of the target `actors_link`: whatever a peer sends, the connection ends or waits, another one goes on, and no task stays behind.

use std::future::poll_fn;

use morgana_actors::{
    Actor, Context, EncodeError, Failure, Flow, Identity, Malformed, MessageType, Node, Protocol,
    Reader, RemoteLimits, Reply, Wire, Writer, spawn,
};
use morgana_exec::{Executor, ManualClock, duplex, join, select};
use morgana_hal::ByteStream;

/// More bytes show nothing new.
const MOST: usize = 8192;

enum Message {
    Note(u8),
    Ask(Option<String>, Reply<Vec<u32>>),
}

impl Protocol for Message {
    const TYPE: MessageType = MessageType::new("clerk", 1);
}

impl Wire for Message {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Note(number) => {
                0u8.encode(writer)?;
                number.encode(writer)
            }
            Self::Ask(text, reply) => {
                1u8.encode(writer)?;
                text.encode(writer)?;
                reply.encode(writer)
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match u8::decode(reader)? {
            0 => Self::Note(u8::decode(reader)?),
            1 => Self::Ask(Option::decode(reader)?, Reply::decode(reader)?),
            _ => return Err(Malformed::Value),
        })
    }
}

struct Clerk(Vec<u32>);

impl Actor for Clerk {
    type Message = Message;

    async fn handle(&mut self, message: Message, _: &Context<Message>) -> Result<Flow, Failure> {
        match message {
            Message::Note(number) => self.0 = vec![number.into()],
            Message::Ask(None, reply) => reply.send(self.0.clone()),
            Message::Ask(Some(_), reply) => drop(reply),
        }
        Ok(Flow::Continue)
    }
}

/// The first byte says whether a hello goes before the others.
pub(crate) fn check(input: &[u8]) {
    let Some((&first, input)) = input.split_first() else {
        return;
    };
    let mut bytes = Vec::new();
    if first & 1 == 0 {
        bytes.extend([23, 0, 0, 0, 0]);
        bytes.extend(b"MACT");
        bytes.extend([2, 0]);
        bytes.extend([9; 16]);
    }
    bytes.extend(&input[..input.len().min(MOST)]);
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let main = async move {
        let node = |id| {
            let identity = Identity {
                node: id,
                incarnation: 1,
            };
            Node::new(&tasks, identity, RemoteLimits::DEFAULT)
        };
        let far = node(1);
        let clerk = spawn(&tasks, 4, Clerk(Vec::new())).unwrap();
        far.register("clerk", &clerk).unwrap();
        let (a, b) = duplex(1000);
        tasks.spawn(far.attach(a).1).unwrap();
        let (good, running) = node(2).attach(b);
        tasks.spawn(running).unwrap();
        let good = good.lookup::<Message>("clerk", 4).await.unwrap();
        let before = tasks.tasks();

        let (bad, stream) = duplex(1 << 16);
        let (link, running) = far.attach(stream);
        let timers = tasks.timers();
        // The node asks the peer for something, too.
        let asks = async {
            let Ok(address) = link.lookup::<Message>("x", 1).await else {
                return;
            };
            let second = core::time::Duration::from_secs(1);
            let _ = address
                .request(&timers, second, |reply| Message::Ask(None, reply))
                .await;
        };
        let sends = async {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                match poll_fn(|cx| bad.poll_write(cx, rest)).await {
                    Ok(len) => rest = &rest[len..],
                    Err(_) => break,
                }
            }
            drop(bad);
        };
        select(
            join(running, join(asks, sends)),
            timers.sleep(core::time::Duration::from_secs(60)),
        )
        .await;
        assert!(
            link.ended().is_some(),
            "a connection without a peer goes on"
        );
        let answer = good
            .request(&timers, core::time::Duration::from_secs(1), |reply| {
                Message::Ask(None, reply)
            })
            .await;
        assert!(answer.is_ok(), "another connection suffered");
        // What came before the end is still delivered, and the answer may overtake it. The clock moves only when nobody has anything left to do.
        timers.sleep(core::time::Duration::from_millis(1)).await;
        assert!(tasks.tasks() <= before, "tasks stay behind");
    };
    executor.block_on(main, &mut clock.idle(), &clock);
}
