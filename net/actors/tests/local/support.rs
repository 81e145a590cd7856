//! An actor for tests, and an executor under a clock that jumps.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use morgana_actors::{Actor, Context, Ended, Failure, Flow, Reply};
use morgana_exec::{Executor, Handle, ManualClock};

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) type Log = Rc<RefCell<Vec<String>>>;

#[derive(Debug)]
pub(crate) enum Message {
    Note(u32),
    Sleep(u64),
    Fail,
    Finish,
    Sum(Reply<u32>),
    Forget(Reply<u32>),
    Down(Ended),
}

/// Logs what it does, and adds up its notes.
pub(crate) struct Clerk {
    pub(crate) name: &'static str,
    pub(crate) log: Log,
    pub(crate) sum: u32,
}

impl Clerk {
    pub(crate) fn new(name: &'static str, log: &Log) -> Self {
        Self {
            name,
            log: log.clone(),
            sum: 0,
        }
    }

    fn say(&self, what: &str) {
        self.log.borrow_mut().push(format!("{} {what}", self.name));
    }
}

impl Actor for Clerk {
    type Message = Message;

    async fn started(&mut self, _: &Context<Message>) -> Result<(), Failure> {
        self.say("starts");
        Ok(())
    }

    async fn handle(
        &mut self,
        message: Message,
        context: &Context<Message>,
    ) -> Result<Flow, Failure> {
        match message {
            Message::Note(number) => {
                self.sum += number;
                self.say(&format!("notes {number}"));
            }
            Message::Sleep(ms) => {
                context
                    .timers()
                    .sleep(MS * u32::try_from(ms).unwrap())
                    .await
            }
            Message::Fail => return Err(Failure("asked to")),
            Message::Finish => return Ok(Flow::Finish),
            Message::Sum(reply) => reply.send(self.sum),
            Message::Forget(reply) => drop(reply),
            Message::Down(ended) => self.say(&format!("hears: {ended}")),
        }
        Ok(Flow::Continue)
    }

    fn stopped(&mut self, why: Ended) {
        self.say(&why.to_string());
    }
}

pub(crate) fn run<F: Future<Output = ()> + 'static>(
    test: impl FnOnce(Handle, Log) -> F,
) -> Vec<String> {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let log = Log::default();
    let main = test(executor.handle(), log.clone());
    executor.block_on(main, &mut clock.idle(), &clock);
    log.take()
}
