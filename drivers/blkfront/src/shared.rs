//! What the device, its accesses and its keeper share.

use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};

use morgana_block::{BlockError, Geometry};
use morgana_exec::Notify;
use morgana_hal::Platform;

use crate::{Features, Link, Parted, Request, Stats, Table, Ticket, Violation};

pub(crate) struct Shared<P: Platform> {
    link: RefCell<Option<Link<P>>>,
    table: RefCell<Table>,
    /// Tells the keeper that there is something to be sent, or that the device is abandoned.
    work: Notify,
    /// Tells those who wait for it that there may be room.
    room: Notify,
    abandoned: Cell<bool>,
    gone: Cell<bool>,
    pub(crate) parted: Cell<Option<Parted>>,
    pub(crate) geometry: Cell<Geometry>,
    pub(crate) features: Cell<Features>,
    /// The counters of connections that have ended.
    past: Cell<Stats>,
}

impl<P: Platform> Shared<P> {
    pub(crate) fn new(table: Table, geometry: Geometry, features: Features) -> Self {
        Self {
            link: RefCell::new(None),
            table: RefCell::new(table),
            work: Notify::new(),
            room: Notify::new(),
            abandoned: Cell::new(false),
            gone: Cell::new(false),
            parted: Cell::new(None),
            geometry: Cell::new(geometry),
            features: Cell::new(features),
            past: Cell::default(),
        }
    }

    /// The most bytes of one request; `None` while there is no connection.
    pub(crate) fn max_bytes(&self) -> Option<usize> {
        self.link.borrow().as_ref().map(Link::max_bytes)
    }

    /// A place for a request, once there is room and a connection.
    pub(crate) fn poll_submit(
        &self,
        cx: &mut Context<'_>,
        request: &Request<'_>,
    ) -> Poll<Result<Ticket, BlockError>> {
        let seen = self.room.count();
        if self.gone.get() {
            return Poll::Ready(Err(BlockError::Gone));
        }
        if let Some(link) = self.link.borrow_mut().as_mut() {
            if let Some(ticket) = link.submit(&mut self.table.borrow_mut(), request) {
                self.work.notify();
                return Poll::Ready(Ok(ticket));
            }
            if request.bytes() > link.max_bytes() {
                // A new back end takes less at once than the one before.
                return Poll::Ready(Err(BlockError::Io));
            }
        }
        // The count cannot change between reading it and here.
        self.room
            .poll_after(seen, cx)
            .map(|_| Err(BlockError::Gone))
    }

    /// The outcome of a request; for a read its bytes too. The ticket is void once this is ready.
    pub(crate) fn poll_collect(
        &self,
        cx: &mut Context<'_>,
        ticket: Ticket,
        into: &mut [u8],
    ) -> Poll<Result<(), BlockError>> {
        let mut table = self.table.borrow_mut();
        let Poll::Ready(outcome) = table.poll_outcome(ticket, cx) else {
            return Poll::Pending;
        };
        match self.link.borrow().as_ref() {
            Some(link) if outcome.is_ok() => link.collect(&mut table, ticket, into),
            _ => table.detach(ticket),
        }
        self.tell_of_room(&mut table);
        Poll::Ready(outcome)
    }

    /// The user of a ticket leaves.
    pub(crate) fn detach(&self, ticket: Ticket) {
        let mut table = self.table.borrow_mut();
        table.detach(ticket);
        self.tell_of_room(&mut table);
    }

    fn tell_of_room(&self, table: &mut Table) {
        if table.take_freed() {
            self.room.notify();
        }
    }

    /// The keeper: does what there is to do. Ready when the back end has broken the protocol; with `None` when the device is abandoned and
    /// nothing is under way any more.
    pub(crate) fn poll_serve(&self, cx: &mut Context<'_>) -> Poll<Option<Violation>> {
        let seen = self.work.count();
        let mut table = self.table.borrow_mut();
        if let Some(link) = self.link.borrow_mut().as_mut()
            && let Poll::Ready(violation) = link.poll(cx, &mut table)
        {
            return Poll::Ready(Some(violation));
        }
        self.tell_of_room(&mut table);
        if self.abandoned.get() && table.waiting() == 0 {
            return Poll::Ready(None);
        }
        // Nothing that runs here gives more work.
        self.work.poll_after(seen, cx).map(|_| None)
    }

    /// The keeper: waits until the device is abandoned.
    pub(crate) async fn abandoned(&self) {
        loop {
            let seen = self.work.count();
            if self.abandoned.get() {
                return;
            }
            self.work.after(seen).await;
        }
    }

    /// The device: nobody uses it any more.
    pub(crate) fn abandon(&self) {
        self.abandoned.set(true);
        self.work.notify();
    }

    /// The keeper: a connection is there.
    pub(crate) fn enter(&self, mut link: Link<P>) {
        link.begin();
        link.stats_mut().connections += 1;
        self.parted.set(None);
        *self.link.borrow_mut() = Some(link);
        self.room.notify();
    }

    /// The keeper: the connection is not to be used any more. It stays, with its pages, until the back end has let go of them.
    pub(crate) fn leave(&self) -> Option<Link<P>> {
        self.link.borrow_mut().take()
    }

    /// The keeper: keeps what an ended connection had under way, for the next.
    pub(crate) fn park(&self, link: Link<P>) {
        link.park(&mut self.table.borrow_mut());
        self.past.set(self.past.get().and(&link.stats()));
    }

    /// The keeper: there will be no connection any more.
    pub(crate) fn end(&self) {
        self.gone.set(true);
        let mut table = self.table.borrow_mut();
        table.abandon();
        self.tell_of_room(&mut table);
    }

    pub(crate) fn stats(&self) -> Stats {
        let now = match self.link.borrow().as_ref() {
            Some(link) => link.stats(),
            None => Stats::default(),
        };
        let table = self.table.borrow();
        Stats {
            in_flight: table.waiting(),
            pool_used: table.pool.pages() - table.pool.free(),
            pool_pages: table.pool.pages(),
            ..self.past.get().and(&now)
        }
    }
}
