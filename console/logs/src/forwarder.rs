//! A domain's records on their way to the logger.

use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use morgana_exec::{Either, Seldom, Timers, select};
use morgana_hal::{ByteStream, DomId, Platform};
use morgana_record::{Frames, Record, Refusal, Role, ToDomain, ToLogger};
use morgana_vchan::{Sizes, Vchan, listen};
use morgana_xenstore_client::{Client, KeyError, Watch};

use crate::place::{LOGGER, OFFERS, logger};
use crate::queue::{Queue, Way};

/// The name of the vchan that records go through.
const OFFER: &str = "app";

/// The rings: records need room, answers hardly any.
const SIZES: Sizes = Sizes {
    to_server: 1 << 10,
    to_client: 16 << 10,
};

/// For so long a logger may leave records unanswered; then it is taken to be gone, and they are offered anew.
const PATIENCE: Duration = Duration::from_secs(30);
/// Before it is tried again after something went wrong.
const PAUSE: Duration = Duration::from_secs(2);

/// Which domain is the logger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination {
    /// The one that [`LOGGER`] names, whenever it names one.
    Published,
    /// This one.
    Domain(DomId),
}

/// Takes records and sends them to the logger. Clones share the queue. One task moves it on: see [`drive`](Self::drive).
#[derive(Clone, Debug)]
pub struct Forwarder(Rc<RefCell<Queue>>);

/// How a connection ended.
enum End {
    /// There is another logger, or the same one anew.
    Other,
    /// It cannot be used any longer.
    Broken(&'static str),
}

impl Forwarder {
    /// A queue of so many bytes, for records that the logger has not said that it keeps.
    pub fn new(capacity: usize) -> Self {
        Self(Rc::new(RefCell::new(Queue::new(capacity))))
    }

    /// Takes a record. Never waits: if there is no room for it, it is dropped and counted, and the next one that finds room tells how many were lost.
    pub fn put(&self, record: Record) {
        // The queue is not borrowed while anything is done that could log.
        if let Ok(mut queue) = self.0.try_borrow_mut() {
            queue.put(record);
        }
    }

    /// Waits until the logger keeps all that was put, or until it is known that there is none. That may be never: give it some time only.
    pub async fn flush(&self) {
        poll_fn(|cx| {
            let mut queue = self.0.borrow_mut();
            if queue.is_empty() || queue.way == Way::No {
                return Poll::Ready(());
            }
            queue.waiters.register(cx.waker());
            Poll::Pending
        })
        .await;
    }

    /// Whether the logger keeps all that was put.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    fn set_way(&self, way: Way) {
        let mut queue = self.0.borrow_mut();
        queue.way = way;
        queue.waiters.wake_all();
    }

    /// Sends what is put to the logger, for ever: a task's whole work. Waits for a logger, and for the next one when it is gone; what the last one has not said
    /// that it keeps is sent again.
    ///
    /// # Errors
    ///
    /// xenstore's, if it cannot be used at all, or no longer.
    pub async fn drive<P: Platform>(
        &self,
        platform: &P,
        client: &Client,
        timers: &Timers,
        to: Destination,
    ) -> Result<core::convert::Infallible, KeyError> {
        let hello = hello(platform, client).await;
        let watch = client.watch(LOGGER).await.map_err(KeyError::at(LOGGER))?;
        // It says at once that something may be there, which is no reason to leave a logger.
        watch.next().await.map_err(KeyError::at(LOGGER))?;
        let mut troubles = Seldom::default();
        loop {
            self.is_wanted().await;
            let peer = self.find(client, &watch, to).await?;
            self.set_way(Way::Yes);
            let end = self
                .connection(platform, client, timers, peer, &hello, &watch)
                .await?;
            if let End::Broken(why) = end {
                self.set_way(Way::No);
                if let Some(times) = troubles.again() {
                    log::warn!("the logger {peer} gets no records: {why} (time {times})");
                }
                // Another logger is a reason not to wait any longer.
                match select(timers.sleep(PAUSE), watch.next()).await {
                    Either::First(()) => {}
                    Either::Second(changed) => drop(changed.map_err(KeyError::at(LOGGER))?),
                }
            }
        }
    }

    /// Ready when there is something to be sent.
    async fn is_wanted(&self) {
        poll_fn(|cx| {
            let mut queue = self.0.borrow_mut();
            if !queue.is_empty() {
                return Poll::Ready(());
            }
            queue.waiters.register(cx.waker());
            Poll::Pending
        })
        .await;
    }

    /// The logger, once there is one.
    async fn find(
        &self,
        client: &Client,
        watch: &Watch,
        to: Destination,
    ) -> Result<DomId, KeyError> {
        if let Destination::Domain(domain) = to {
            return Ok(domain);
        }
        loop {
            if let Some(domain) = logger(client).await? {
                return Ok(domain);
            }
            self.set_way(Way::No);
            watch.next().await.map_err(KeyError::at(LOGGER))?;
        }
    }

    /// Offers a vchan to the logger, and sends through it until it ends.
    async fn connection<P: Platform>(
        &self,
        platform: &P,
        client: &Client,
        timers: &Timers,
        peer: DomId,
        hello: &[u8],
        watch: &Watch,
    ) -> Result<End, KeyError> {
        let path = alloc::format!("{OFFERS}/{OFFER}");
        let vchan = match listen(platform, client, peer, &path, SIZES).await {
            Ok(vchan) => vchan,
            Err(error) => {
                log::debug!("{path}: {error}");
                return Ok(End::Broken("no vchan can be offered"));
            }
        };
        self.0.borrow_mut().rewind();
        let moved = select(self.send(&vchan, hello), self.receive(&vchan));
        let kept = select(moved, self.unanswered(timers));
        Ok(match select(kept, watch.next()).await {
            Either::First(Either::First(Either::First(end) | Either::Second(end))) => end,
            Either::First(Either::Second(())) => End::Broken("it does not answer"),
            Either::Second(changed) => {
                changed.map_err(KeyError::at(LOGGER))?;
                End::Other
            }
        })
    }

    async fn send<P: Platform>(&self, vchan: &Vchan<P>, hello: &[u8]) -> End {
        if vchan.send(hello).await.is_err() {
            return End::Broken("it has closed the connection");
        }
        loop {
            let message = poll_fn(|cx| self.0.borrow_mut().poll_unsent(cx)).await;
            if vchan.send(&message).await.is_err() {
                return End::Broken("it has closed the connection");
            }
        }
    }

    async fn receive<P: Platform>(&self, vchan: &Vchan<P>) -> End {
        let mut frames = Frames::default();
        let mut buffer = [0; 256];
        loop {
            match frames.to_domain() {
                Ok(Some(ToDomain::Kept(before))) => {
                    if self.0.borrow_mut().kept(before).is_err() {
                        return End::Broken("it keeps what was never sent");
                    }
                }
                Ok(Some(ToDomain::Refused(Refusal::TooMany))) => {
                    return End::Broken("it serves too many others");
                }
                Ok(Some(ToDomain::Refused(Refusal::NotAllowed))) => {
                    return End::Broken("it takes none of this domain");
                }
                Ok(Some(_)) | Err(_) => return End::Broken("it breaks the protocol"),
                Ok(None) => match poll_fn(|cx| vchan.poll_read(cx, &mut buffer)).await {
                    Ok(len) => frames.add(&buffer[..len]),
                    Err(_) => return End::Broken("it has closed the connection"),
                },
            }
        }
    }

    /// Ready when the logger has left the same record unanswered for long.
    async fn unanswered(&self, timers: &Timers) {
        loop {
            let before = self.0.borrow().unanswered();
            timers.sleep(PATIENCE).await;
            if before.is_some() && before == self.0.borrow().unanswered() {
                return;
            }
        }
    }
}

/// The message that every connection begins with.
async fn hello<P: Platform>(platform: &P, client: &Client) -> alloc::vec::Vec<u8> {
    let mut session = [0; 8];
    platform.entropy(&mut session);
    // A domain may mostly read what the toolstack calls it.
    let name: String = client.read_text("name").await.unwrap_or_default();
    let session = u64::from_le_bytes(session);
    let mut hello = alloc::vec::Vec::new();
    ToLogger::Hello(Role::Send { session, name }).encode(&mut hello);
    hello
}
