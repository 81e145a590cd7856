//! A connected disk: the front end's rings, the event channels, and the requests under way. Knows no xenstore.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use morgana_blkif::{Operation, RawRequest, Response, Status};
use morgana_block::{BlockDevice, BlockError, Discard, Writes};
use morgana_hal::{Channel, DomId, Events, GrantRef, Memory, Platform, Port};
use morgana_ring::{Armed, BackRing, Notify};
use morgana_xenbus::LinkError;

use crate::foreign::Foreign;
use crate::job::{Failure, run};
use crate::parse::{Refusal, Rules, Work, operation, parse};
use crate::{Config, Stats, Violation};

/// How many requests are taken out of a ring in one pass; what is beyond waits for the next.
const BUDGET: usize = 64;

type ChannelOf<P> = <<P as Platform>::Events as Events>::Channel;
type ImportedOf<P> = <<P as Platform>::Memory as Memory>::Imported;

/// What a front end says of one queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueKeys {
    /// The ring's pages, in order.
    pub ring: Vec<GrantRef>,
    /// The event channel's port.
    pub port: Port,
}

/// What a front end says of the pages that its requests name (`feature-persistent`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grants {
    /// Each is granted for a request, or may be.
    Passing,
    /// They are the same again and again, and may stay mapped, to be read and written.
    Persistent,
}

/// The back end's half of a connected block device.
///
/// Once the front end breaks the protocol, nothing more is taken from it or answered, and [`violation`](Self::violation) tells which rule was
/// broken. Other front ends are not concerned.
pub struct Link<P: Platform, D> {
    device: Rc<D>,
    config: Config,
    queues: Vec<Queue<P>>,
    /// The queue whose turn it is.
    turn: usize,
    jobs: Vec<Job>,
    buffered: usize,
    violation: Option<Violation>,
    stats: Stats,
}

struct Queue<P: Platform> {
    ring: BackRing<ImportedOf<P>, RawRequest, Response>,
    channel: ChannelOf<P>,
    foreign: Rc<Foreign<P>>,
    /// The channel's count when the ring was last looked at.
    seen: u64,
}

/// A request under way.
struct Job {
    answer: Answer,
    future: Pin<Box<dyn Future<Output = Result<(), Failure>>>>,
}

/// What is needed to answer a request.
#[derive(Clone, Copy)]
struct Answer {
    queue: usize,
    id: u64,
    operation: Operation,
    kind: Kind,
    bytes: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Read,
    Write,
    Flush,
    Discard,
}

impl<P: Platform, D: BlockDevice + 'static> Link<P, D> {
    /// Maps the rings of `peer` and connects to its event channels.
    pub fn new(
        platform: &P,
        peer: DomId,
        keys: &[QueueKeys],
        grants: Grants,
        device: Rc<D>,
        config: &Config,
    ) -> Result<Self, LinkError> {
        let config = config.clamped();
        if keys.is_empty() || keys.len() > config.queues {
            return Err(LinkError::Queues);
        }
        let kept_pages = match grants {
            Grants::Passing => 0,
            Grants::Persistent => config.persistent_pages / keys.len(),
        };
        let mut queues = Vec::with_capacity(keys.len());
        for keys in keys {
            if !keys.ring.len().is_power_of_two() || keys.ring.len() > 1 << config.ring_page_order {
                return Err(LinkError::Queues);
            }
            let pages = platform.memory().import(peer, &keys.ring)?;
            let channel = platform.events().connect(peer, keys.port)?;
            queues.push(Queue {
                ring: BackRing::attach(pages)?,
                foreign: Rc::new(Foreign::new(platform, peer, kept_pages)),
                seen: channel.count(),
                channel,
            });
        }
        Ok(Self {
            device,
            config,
            queues,
            turn: 0,
            jobs: Vec::new(),
            buffered: 0,
            violation: None,
            stats: Stats::default(),
        })
    }

    /// The rule that the front end has broken, if it has.
    pub fn violation(&self) -> Option<Violation> {
        self.violation
    }

    /// The counters of this connection.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            in_flight: self.jobs.len(),
            buffered_bytes: self.buffered,
            ..self.stats
        };
        for queue in &self.queues {
            let (now, so_far) = queue.foreign.kept();
            stats.persistent_pages += now;
            stats.persistent_maps += so_far;
        }
        stats
    }

    /// Does all that there is to do, and has the waker woken when there is more. Ready once the front end has broken the protocol.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Violation> {
        if let Some(violation) = self.violation {
            return Poll::Ready(violation);
        }
        match self.pass(cx) {
            Ok(()) => Poll::Pending,
            Err(violation) => {
                self.stats.violations += 1;
                self.violation = Some(violation);
                Poll::Ready(violation)
            }
        }
    }

    /// Lets what is under way come to its end, without an answer: what a front end has asked for must not happen after it has come back. Ready
    /// when nothing is under way any more.
    pub fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut left = Vec::new();
        for mut job in self.jobs.drain(..) {
            if job.future.as_mut().poll(cx).is_pending() {
                left.push(job);
            }
        }
        self.jobs = left;
        if self.jobs.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn pass(&mut self, cx: &mut Context<'_>) -> Result<(), Violation> {
        for queue in &mut self.queues {
            queue.seen = queue.channel.count();
        }
        self.work(cx)?;
        let mut more = self.take_requests(cx)?;
        for queue in &mut self.queues {
            if queue.ring.publish() == Notify::Needed {
                self.stats.notifications += 1;
                queue.channel.notify();
            }
        }
        // With all hands full there is no use in an event: the end of a job brings us back here.
        if self.has_capacity() {
            for queue in &mut self.queues {
                more |= queue.ring.arm().map_err(Violation::Ring)? == Armed::Work;
            }
        }
        for queue in &self.queues {
            more |= queue.channel.poll_after(queue.seen, cx).is_ready();
        }
        if more && self.has_capacity() {
            // Others run before what is left is looked at.
            cx.waker().wake_by_ref();
        }
        Ok(())
    }

    /// Goes on with what is under way, and answers what is done.
    fn work(&mut self, cx: &mut Context<'_>) -> Result<(), Violation> {
        let mut index = 0;
        while let Some(job) = self.jobs.get_mut(index) {
            match job.future.as_mut().poll(cx) {
                Poll::Pending => index += 1,
                Poll::Ready(result) => {
                    let answer = self.jobs.swap_remove(index).answer;
                    self.buffered -= answer.bytes;
                    self.done(answer, result);
                }
            }
        }
        Ok(())
    }

    fn has_capacity(&self) -> bool {
        self.jobs.len() < self.config.concurrency && self.buffered < self.config.buffer_bytes
    }

    /// Takes requests from each queue. Whether there may be more.
    fn take_requests(&mut self, cx: &mut Context<'_>) -> Result<bool, Violation> {
        let rules = self.rules();
        let count = self.queues.len();
        self.turn = (self.turn + 1) % count;
        let mut more = false;
        for index in (self.turn..self.turn + count).map(|index| index % count) {
            let mut left = BUDGET;
            while left > 0 && self.has_capacity() {
                let Some(entry) = self.queues[index].ring.pop().map_err(Violation::Ring)? else {
                    break;
                };
                left -= 1;
                self.begin(index, &entry, &rules, cx)?;
            }
            more |= left == 0;
        }
        Ok(more)
    }

    fn rules(&self) -> Rules {
        let geometry = self.device.geometry();
        let writes = match self.config.writes {
            Writes::Allowed => geometry.writes(),
            Writes::Refused => Writes::Refused,
        };
        Rules {
            geometry,
            writes,
            segments: self.config.segments,
            discard: (
                self.device.discards(Discard::Plain),
                self.device.discards(Discard::Secure),
            ),
        }
    }

    /// Begins a request; what does not wait is answered at once.
    fn begin(
        &mut self,
        queue: usize,
        entry: &RawRequest,
        rules: &Rules,
        cx: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let (id, operation) = (entry.id(), operation(entry));
        if entry.operation == Operation::INDIRECT {
            self.stats.indirect += 1;
        }
        let foreign = &self.queues[queue].foreign;
        let work = match parse(entry, rules, foreign)? {
            Ok(work) => work,
            Err(refusal) => {
                match refusal {
                    Refusal::Refused => self.stats.refused += 1,
                    Refusal::Unsupported => self.stats.unsupported += 1,
                    Refusal::BadGrant => self.stats.bad_grants += 1,
                }
                self.respond(queue, Response::new(id, operation, refusal.status()));
                return Ok(());
            }
        };
        let answer = Answer {
            queue,
            id,
            operation,
            kind: match &work {
                Work::Read(_) => Kind::Read,
                Work::Write(_) => Kind::Write,
                Work::Flush => Kind::Flush,
                Work::Discard { .. } => Kind::Discard,
            },
            bytes: work.bytes(),
        };
        let (foreign, device) = (foreign.clone(), self.device.clone());
        let mut future: Pin<Box<dyn Future<Output = _>>> = Box::pin(run(foreign, device, work));
        match future.as_mut().poll(cx) {
            Poll::Ready(result) => self.done(answer, result),
            Poll::Pending => {
                self.buffered += answer.bytes;
                self.jobs.push(Job { answer, future });
            }
        }
        Ok(())
    }

    fn done(&mut self, answer: Answer, result: Result<(), Failure>) {
        let stats = &mut self.stats;
        let status = match result {
            Ok(()) => {
                match answer.kind {
                    Kind::Read => {
                        stats.reads += 1;
                        stats.read_bytes += answer.bytes as u64;
                    }
                    Kind::Write => {
                        stats.writes += 1;
                        stats.written_bytes += answer.bytes as u64;
                    }
                    Kind::Flush => stats.flushes += 1,
                    Kind::Discard => stats.discards += 1,
                }
                Status::OKAY
            }
            Err(Failure::BadGrant) => {
                stats.bad_grants += 1;
                Status::ERROR
            }
            Err(Failure::Device(BlockError::Unsupported)) => {
                stats.unsupported += 1;
                Status::NOT_SUPPORTED
            }
            Err(Failure::Device(_)) => {
                stats.errors += 1;
                Status::ERROR
            }
        };
        self.respond(
            answer.queue,
            Response::new(answer.id, answer.operation, status),
        );
    }

    fn respond(&mut self, queue: usize, response: Response) {
        // Each request that was taken out has one entry for its answer.
        let pushed = self.queues[queue].ring.push(&response);
        debug_assert!(pushed.is_ok());
    }
}

impl<P: Platform, D> fmt::Debug for Link<P, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("queues", &self.queues.len())
            .field("in_flight", &self.jobs.len())
            .field("violation", &self.violation)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
