//! Who asks a counter, again and again, and finds it again when it is gone.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::convert::Infallible;
use core::time::Duration;

use morgana_actors::{
    Actor, Address, Context, Ended, Failure, Flow, Peer, RequestError, Timer, spawn,
};
use morgana_exec::{Handle, TooManyTasks, join_all};

use crate::message::{Message, NAME};
use crate::report::Report;

/// Messages that wait here for room at the counter's node.
const CAPACITY: usize = 16;
/// Before a name that there was not is looked up again, and after an answer that says that there will be none.
const PAUSE: Duration = Duration::from_millis(500);

/// What is asked of a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// Requests at a time.
    pub requests: u32,
    /// How long the counter is to keep an answer back.
    pub after: Duration,
    /// How long an answer may take.
    pub deadline: Duration,
    /// How long the answer to one of them may take, which is in a hurry.
    pub hurried: Duration,
}

impl Load {
    /// Eight requests, answered after a second; ten seconds, and one and a half.
    pub const DEFAULT: Self = Self {
        requests: 8,
        after: Duration::from_secs(1),
        deadline: Duration::from_secs(10),
        hurried: Duration::from_millis(1500),
    };
}

/// Looks the counter of a peer up, asks it until it is gone, logs what became of the requests, and begins anew. `way` says how the peer is connected.
///
/// # Errors
///
/// [`TooManyTasks`]: each request at a time is one.
pub async fn ask(
    tasks: &Handle,
    peer: &Peer,
    way: impl Fn() -> &'static str,
    load: &Load,
) -> Result<Infallible, TooManyTasks> {
    let timers = tasks.timers();
    loop {
        let link = peer.link().await;
        match link.lookup::<Message>(NAME, CAPACITY).await {
            Ok(counter) => {
                let way = way();
                let incarnation = link.peer().map_or(0, |peer| peer.incarnation);
                log::info!("the counter is there by {way}, incarnation {incarnation:016x}");
                let report = until_gone(tasks, counter, load).await?;
                log::info!("the counter by {way} is gone; {report}");
            }
            Err(error) => {
                log::info!("no counter: {error}");
                timers.sleep(PAUSE).await;
            }
        }
    }
}

/// Asks one counter until it is gone, and says what became of the requests.
///
/// # Errors
///
/// [`TooManyTasks`]: each request at a time is one.
pub async fn until_gone(
    tasks: &Handle,
    counter: Address<Message>,
    load: &Load,
) -> Result<Report, TooManyTasks> {
    let report = Rc::<RefCell<Report>>::default();
    let observer = Observer {
        watched: Some(counter.clone()),
        report: report.clone(),
        watch: None,
    };
    let observer = spawn(tasks, 1, observer)?;
    let mut asking = alloc::vec::Vec::new();
    for index in 0..load.requests {
        let deadline = match index {
            0 => load.hurried,
            _ => load.deadline,
        };
        let asker = repeat(
            tasks.clone(),
            counter.clone(),
            *load,
            deadline,
            report.clone(),
        );
        asking.push(tasks.spawn(asker)?);
    }
    drop(counter);
    join_all(asking).await;
    // It is told of the end that the requests have heard of.
    observer.ended().await;
    let report = *report.borrow();
    Ok(report)
}

/// Asks, one request after the other, until the counter is gone.
async fn repeat(
    tasks: Handle,
    counter: Address<Message>,
    load: Load,
    deadline: Duration,
    report: Rc<RefCell<Report>>,
) {
    let timers = tasks.timers();
    let after = u32::try_from(load.after.as_millis()).unwrap_or(u32::MAX);
    loop {
        // If it is gone, the request says it better.
        let _ = counter.send(Message::Add(1)).await;
        let begin = timers.now();
        let answer = counter
            .request(&timers, deadline, |reply| Message::Sum(after, reply))
            .await;
        let took = timers.now().since(begin);
        let is_first = answer.is_ok() && report.borrow().answered == 0;
        report.borrow_mut().count(answer, took, deadline);
        match answer {
            Ok(sum) if is_first => log::info!("the sum is {sum}"),
            Ok(_) | Err(RequestError::Late) => {}
            Err(RequestError::NoReply) => timers.sleep(PAUSE).await,
            Err(RequestError::Ended | RequestError::PeerGone) => return,
        }
    }
}

/// Writes down what it is told of the counter's end, and ends.
struct Observer {
    /// Up to its start.
    watched: Option<Address<Message>>,
    report: Rc<RefCell<Report>>,
    watch: Option<Timer>,
}

impl Actor for Observer {
    type Message = Ended;

    async fn started(&mut self, context: &Context<Ended>) -> Result<(), Failure> {
        if let Some(counter) = self.watched.take() {
            let watch = context.watch(&counter, |ended| ended);
            self.watch = Some(watch.map_err(|_| Failure("no task is left"))?);
        }
        Ok(())
    }

    async fn handle(&mut self, ended: Ended, _: &Context<Ended>) -> Result<Flow, Failure> {
        self.report.borrow_mut().told = Some(ended);
        Ok(Flow::Finish)
    }
}
