//! A connected block device: its rings, the pool of granted pages, the event channels. Knows no xenstore.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll};

use morgana_blkif::{
    DiscardFlags, DiscardRequest, IndirectRequest, MAX_SEGMENTS, Operation, RawRequest,
    Request as Direct, Response, SECTOR_SIZE, SECTORS_PER_PAGE, Segment, Status,
};
use morgana_block::{BlockError, Discard};
use morgana_hal::{
    Channel, DomId, Events, GrantRef, Memory, MemoryError, PAGE_SIZE, Pages, Platform, Port,
    SharedPages,
};
use morgana_ring::{Armed, FrontRing, Notify};
use morgana_xenbus::LinkError;
use zerocopy::IntoBytes;

use crate::pool::{Chain, Pool};
use crate::table::{Action, Entry};
use crate::{Config, Limits, Request, Stats, Table, Ticket, Violation};

/// How many responses are looked at in one pass, a queue; what is beyond waits for the next.
const BUDGET: usize = 64;

/// Why a pass over the rings stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "answers beyond the budget wait for another pass"]
pub enum Drained {
    /// The rings were found empty.
    Empty,
    /// The budget is used up: there may be more.
    More,
}

type ChannelOf<P> = <<P as Platform>::Events as Events>::Channel;
type SharedOf<P> = <<P as Platform>::Memory as Memory>::Shared;

/// What a back end must know of one queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueKeys {
    /// The ring's pages, in order.
    pub ring: Vec<GrantRef>,
    /// The event channel's port.
    pub port: Port,
}

/// The front end's half of a connected block device.
///
/// Once the back end breaks the protocol, nothing is sent and no answer is taken in, and [`violation`](Self::violation) tells which rule was
/// broken.
pub struct Link<P: Platform> {
    queues: Vec<Queue<P>>,
    /// The queue whose turn it is.
    turn: usize,
    pool: SharedOf<P>,
    limits: Limits,
    violation: Option<Violation>,
    stats: Stats,
}

struct Queue<P: Platform> {
    ring: FrontRing<SharedOf<P>, RawRequest, Response>,
    channel: ChannelOf<P>,
    /// The channel's count when the ring was last looked at.
    seen: u64,
}

impl<P: Platform> Link<P> {
    /// Shares rings and a pool with `backend` and opens event channels for it. The `config` is that of the table.
    pub fn new(
        platform: &P,
        backend: DomId,
        config: &Config,
        limits: Limits,
    ) -> Result<Self, LinkError> {
        Self::starting_at(platform, backend, config, limits, 0)
    }

    /// As [`new`](Self::new), with ring indices that begin at `index`; so a test comes to the wrap-around soon.
    pub fn starting_at(
        platform: &P,
        backend: DomId,
        config: &Config,
        limits: Limits,
        index: u32,
    ) -> Result<Self, LinkError> {
        let config = config.clamped();
        let limits = Limits::agreed(&config, limits);
        let memory = platform.memory();
        let pool = memory.share(backend, config.pool_pages)?;
        if pool.grants().len() < config.pool_pages {
            return Err(LinkError::Memory(MemoryError::OutOfMemory));
        }
        let mut queues = Vec::with_capacity(limits.queues);
        for _ in 0..limits.queues {
            let pages = memory.share(backend, 1 << limits.ring_page_order)?;
            let channel = platform.events().listen(backend)?;
            queues.push(Queue {
                ring: FrontRing::starting_at(pages, index)?,
                seen: channel.count(),
                channel,
            });
        }
        Ok(Self {
            queues,
            turn: 0,
            pool,
            limits,
            violation: None,
            stats: Stats::default(),
        })
    }

    /// What the back end must know to connect, a queue each.
    pub fn keys(&self) -> Vec<QueueKeys> {
        let keys = |queue: &Queue<P>| QueueKeys {
            ring: queue.ring.pages().grants().to_vec(),
            port: queue.channel.port(),
        };
        self.queues.iter().map(keys).collect()
    }

    /// What both ends have agreed on.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The most bytes of one request.
    pub fn max_bytes(&self) -> usize {
        self.limits.segments * PAGE_SIZE
    }

    /// The rule that the back end has broken, if it has.
    pub fn violation(&self) -> Option<Violation> {
        self.violation
    }

    /// The counters of this connection.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    pub(crate) fn stats_mut(&mut self) -> &mut Stats {
        &mut self.stats
    }

    /// Takes a request, and for a write its bytes. `None` if there is no room for it. It goes out with the next [`pass`](Self::pass).
    pub fn submit(&mut self, table: &mut Table, request: &Request<'_>) -> Option<Ticket> {
        let bytes = request.bytes();
        let moves = matches!(request, Request::Read { .. } | Request::Write { .. });
        if bytes > self.max_bytes() || !bytes.is_multiple_of(SECTOR_SIZE) || moves && bytes == 0 {
            return None;
        }
        let Some(ticket) = table.add(request) else {
            self.stats.full += 1;
            return None;
        };
        if let (Request::Write { data, .. }, Ok(entry)) = (request, table.slots.value(ticket.0)) {
            self.fill(&table.pool, &entry.pages, data);
        }
        Some(ticket)
    }

    /// Takes the outcome of a request that is done, and for a read its bytes; the ticket is void then.
    pub fn collect(&self, table: &mut Table, ticket: Ticket, into: &mut [u8]) {
        if let Ok(entry) = table.slots.value(ticket.0) {
            let pages = table.pool.iter(&entry.pages);
            for (page, piece) in pages.zip(into.chunks_mut(PAGE_SIZE)) {
                self.pool.region().read(page * PAGE_SIZE, piece);
            }
        }
        table.detach(ticket);
    }

    fn fill(&self, pool: &Pool, chain: &Chain, data: &[u8]) {
        for (page, piece) in pool.iter(chain).zip(data.chunks(PAGE_SIZE)) {
            self.pool.region().write(page * PAGE_SIZE, piece);
        }
    }

    /// Takes in answers, puts requests on the rings, and notifies the back end if it waits for them. After 64 answers of a queue it says that there
    /// may be more.
    pub fn pass(&mut self, table: &mut Table) -> Drained {
        if self.violation.is_some() {
            return Drained::Empty;
        }
        let drained = match self.reap(table) {
            Ok(drained) => drained,
            Err(violation) => {
                self.stats.violations += 1;
                self.violation = Some(violation);
                return Drained::Empty;
            }
        };
        self.send(table);
        for queue in &mut self.queues {
            if queue.ring.publish() == Notify::Needed {
                self.stats.notifications += 1;
                queue.channel.notify();
            }
        }
        drained
    }

    /// Does all that there is to do, and has the waker woken by the back end's next answer. Ready once the back end has broken the protocol.
    pub fn poll(&mut self, cx: &mut Context<'_>, table: &mut Table) -> Poll<Violation> {
        for queue in &mut self.queues {
            queue.seen = queue.channel.count();
        }
        let mut more = self.pass(table) == Drained::More;
        for queue in &mut self.queues {
            match queue.ring.arm() {
                Ok(Armed::Work) => more = true,
                Ok(Armed::Idle) => {}
                Err(error) => {
                    if self.violation.is_none() {
                        self.stats.violations += 1;
                        self.violation = Some(Violation::Ring(error));
                    }
                }
            }
            more |= queue.channel.poll_after(queue.seen, cx).is_ready();
        }
        if let Some(violation) = self.violation {
            return Poll::Ready(violation);
        }
        if more {
            // Others run before what is left is looked at.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn reap(&mut self, table: &mut Table) -> Result<Drained, Violation> {
        let mut drained = Drained::Empty;
        for queue in &mut self.queues {
            let mut left = BUDGET;
            while let Some(response) = queue.ring.pop().map_err(Violation::Ring)? {
                let answer = match response.status {
                    Status::OKAY => Ok(()),
                    Status::ERROR => Err(BlockError::Io),
                    Status::NOT_SUPPORTED => Err(BlockError::Unsupported),
                    other => return Err(Violation::Status(other.0)),
                };
                table.answer(response.id, answer, &mut self.stats)?;
                left -= 1;
                if left == 0 {
                    drained = Drained::More;
                    break;
                }
            }
        }
        Ok(drained)
    }

    /// Puts on the rings what is not there yet, in order, as far as there is room.
    fn send(&mut self, table: &mut Table) {
        while let Some(&id) = table.unsent.front() {
            let Table { slots, pool, .. } = table;
            let Ok(entry) = slots.value_mut(id) else {
                table.unsent.pop_front();
                continue;
            };
            if let Some(saved) = entry.saved.take() {
                self.fill(pool, &entry.pages, &saved);
                self.stats.resent += 1;
            }
            while !entry.all_sent {
                let Some(queue) = self.free_queue() else {
                    return;
                };
                let request = next_piece(id, entry, pool, &self.limits, &self.pool);
                if request.operation == Operation::INDIRECT {
                    self.stats.indirect += 1;
                }
                // The queue has room, as was seen above.
                if self.queues[queue].ring.push(&request).is_ok() {
                    entry.pieces += 1;
                }
            }
            table.unsent.pop_front();
        }
    }

    /// A queue with room, another one each time.
    fn free_queue(&mut self) -> Option<usize> {
        let count = self.queues.len();
        let free = (self.turn..self.turn + count)
            .map(|index| index % count)
            .find(|&index| self.queues[index].ring.free() > 0)?;
        self.turn = (free + 1) % count;
        Some(free)
    }

    /// Saves what a table has under way, for another connection. The back end must have let go of the pages.
    pub(crate) fn park(&self, table: &mut Table) {
        table.park(|pool, entry| {
            let mut bytes = vec![0; entry.sectors as usize * SECTOR_SIZE];
            for (page, piece) in pool.iter(&entry.pages).zip(bytes.chunks_mut(PAGE_SIZE)) {
                self.pool.region().read(page * PAGE_SIZE, piece);
            }
            bytes
        });
    }

    /// Notifies in any case: a back end that has just connected may have looked before it could be told.
    pub(crate) fn begin(&mut self) {
        for queue in &self.queues {
            self.stats.notifications += 1;
            queue.channel.notify();
        }
    }
}

/// The next request of what an entry needs, and notes that it is sent.
fn next_piece(
    id: u16,
    entry: &mut Entry,
    pool: &mut Pool,
    limits: &Limits,
    memory: &impl SharedPages,
) -> RawRequest {
    let id = id.into();
    let operation = match entry.action {
        Action::Read => Operation::READ,
        Action::Write => Operation::WRITE,
        Action::Flush => {
            entry.all_sent = true;
            return RawRequest::from(Direct {
                operation: Operation::FLUSH_DISKCACHE,
                id,
                ..Direct::default()
            });
        }
        Action::Discard(how) => {
            entry.all_sent = true;
            return RawRequest::from(DiscardRequest {
                operation: Operation::DISCARD,
                flag: match how {
                    Discard::Plain => DiscardFlags::empty(),
                    Discard::Secure => DiscardFlags::SECURE,
                },
                id,
                sector_number: entry.sector,
                nr_sectors: entry.sectors,
                ..DiscardRequest::default()
            });
        }
    };
    let done = entry.sent * SECTORS_PER_PAGE;
    let sector_number = entry.sector + done as u64;
    let left = entry.sectors as usize - done;
    let pages = (entry.pages.len() - entry.sent).min(limits.segments);
    let indirect = if pages > MAX_SEGMENTS {
        pool.take(1)
    } else {
        None
    };
    let Some(indirect) = indirect else {
        let mut request = Direct {
            operation,
            id,
            sector_number,
            ..Direct::default()
        };
        // Also where no page is free for segments: then it takes more requests.
        let pages = pages.min(MAX_SEGMENTS);
        request.nr_segments = pages as u8;
        segments(entry, pool, memory, left, &mut request.seg[..pages]);
        return request.into();
    };
    // At most 512 of 8 bytes: one page.
    let mut list = [Segment::default(); PAGE_SIZE / size_of::<Segment>()];
    segments(entry, pool, memory, left, &mut list[..pages]);
    let page = usize::from(indirect.first().unwrap_or(0));
    memory
        .region()
        .write(page * PAGE_SIZE, list[..pages].as_bytes());
    let mut indirect_grefs = [0; morgana_blkif::MAX_INDIRECT_PAGES];
    indirect_grefs[0] = memory.grants()[page].number();
    let held = core::mem::take(&mut entry.indirect);
    entry.indirect = pool.joined(held, indirect);
    RawRequest::from(IndirectRequest {
        operation: Operation::INDIRECT,
        indirect_op: operation,
        nr_segments: pages as u16,
        id,
        sector_number,
        indirect_grefs,
        ..IndirectRequest::default()
    })
}

/// Names the entry's next pages, of which `left` sectors are used.
fn segments(
    entry: &mut Entry,
    pool: &Pool,
    memory: &impl SharedPages,
    mut left: usize,
    into: &mut [Segment],
) {
    entry.sent += into.len();
    for segment in into {
        let sectors = left.clamp(1, SECTORS_PER_PAGE);
        *segment = Segment {
            gref: memory.grants()[usize::from(entry.cursor)].number(),
            first_sect: 0,
            last_sect: (sectors - 1) as u8,
            ..Segment::default()
        };
        left -= sectors.min(left);
        entry.cursor = pool.next(entry.cursor);
    }
    entry.all_sent = entry.sent == entry.pages.len();
}

impl<P: Platform> fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("limits", &self.limits)
            .field("violation", &self.violation)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
