//! What is said between the counter and those that ask it.

use core::time::Duration;

use morgana_actors::{
    Actor, Context, EncodeError, Failure, Flow, Malformed, MessageType, Protocol, Reader, Reply,
    Wire, Writer,
};

/// The name under which a node has its counter.
pub const NAME: &str = "counter";
/// The longest that an answer is kept back.
const MOST: Duration = Duration::from_secs(60);

/// What a counter is told, and asked.
#[derive(Debug)]
pub enum Message {
    /// Adds a number.
    Add(u64),
    /// Asks for the sum as it is now; the answer is to come after so many milliseconds, a minute at most.
    Sum(u32, Reply<u64>),
}

impl Protocol for Message {
    const TYPE: MessageType = MessageType::new("morgana.counter", 1);
}

impl Wire for Message {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Add(number) => {
                0u8.encode(writer)?;
                number.encode(writer)
            }
            Self::Sum(after, reply) => {
                1u8.encode(writer)?;
                after.encode(writer)?;
                reply.encode(writer)
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match u8::decode(reader)? {
            0 => Ok(Self::Add(u64::decode(reader)?)),
            1 => Ok(Self::Sum(u32::decode(reader)?, Reply::decode(reader)?)),
            _ => Err(Malformed::Value),
        }
    }
}

/// The sum of what it was told since it was started.
#[derive(Debug, Default)]
pub(crate) struct Counter(u64);

impl Actor for Counter {
    type Message = Message;

    async fn handle(
        &mut self,
        message: Message,
        context: &Context<Message>,
    ) -> Result<Flow, Failure> {
        match message {
            Message::Add(number) => {
                self.0 = self.0.checked_add(number).ok_or(Failure("overflow"))?;
            }
            Message::Sum(after, reply) => {
                let (sum, timers) = (self.0, context.timers());
                let wait = Duration::from_millis(after.into()).min(MOST);
                // It goes on meanwhile. Without a task left the reply is dropped, and whoever asked hears of that.
                let _ = context.tasks().spawn(async move {
                    timers.sleep(wait).await;
                    reply.send(sum);
                });
            }
        }
        Ok(Flow::Continue)
    }
}
