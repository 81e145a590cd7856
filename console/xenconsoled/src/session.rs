//! One guest's console while its ring is served: from the ring to the log and the terminal, and from the terminal to the ring.

use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use morgana_exec::{Either, Notify, Seldom, Timers, select, yield_now};
use morgana_hal::{ByteStream, DomId, StreamError};

use crate::backlog::Backlog;
use crate::host::{LogOf, TerminalOf};
use crate::rate::{Meter, Pause, Traffic};
use crate::record::Record;
use crate::{Host, Options};

/// Bytes moved at once: what a guest's ring holds.
const PIECE: usize = 2048;

/// How long a guest waits for its terminal to take as much as a piece, before its output is dropped instead. A terminal that is slower than
/// that (16 kbit/s) must not hold up the guest's kernel, and one that nobody looks at takes nothing at all.
const PATIENCE: Duration = Duration::from_secs(1);

/// A guest that is served.
pub(crate) struct Session<'a, H: Host> {
    pub(crate) domain: DomId,
    pub(crate) host: &'a H,
    pub(crate) timers: &'a Timers,
    pub(crate) traffic: &'a Traffic,
    pub(crate) ring: H::Ring,
    pub(crate) terminal: Option<&'a TerminalOf<H>>,
    pub(crate) backlog: RefCell<Backlog>,
    /// The backlog has grown or shrunk.
    pub(crate) moved: Notify,
    /// Whether the guest has waited in vain since the terminal had all of its output.
    pub(crate) unread: Cell<bool>,
    pub(crate) options: Options,
}

impl<H: Host> Session<'_, H> {
    /// Serves until the guest breaks the ring's rules.
    pub(crate) async fn serve(&self, record: &mut Record<LogOf<H>>) -> StreamError {
        // Pinned here, since a future that is handed over takes its room twice, and there is one of these for each guest.
        let read = pin!(self.read_guest(record));
        let (show, type_in) = (pin!(self.show()), pin!(self.type_in()));
        match select(select(read, show), type_in).await {
            Either::First(Either::First(error)) | Either::Second(error) => error,
            Either::First(Either::Second(never)) => match never {},
        }
    }

    /// Takes what is left of a guest that is gone: its last words.
    pub(crate) async fn drain(&self, record: &mut Record<LogOf<H>>) {
        record.flush(self.domain).await;
        let mut piece = [0; PIECE];
        // The ring holds no more than one piece; a guest that is gone writes no other.
        for _ in 0..2 {
            let read = now(|cx| self.ring.poll_read(cx, &mut piece)).await;
            let Some(Ok(len)) = read else {
                break;
            };
            self.take(&piece[..len], record).await;
        }
        let Some(terminal) = self.terminal else {
            return;
        };
        loop {
            let len = self.backlog.borrow().peek(&mut piece);
            if len == 0 {
                return;
            }
            // What the terminal does not take now, nobody reads.
            let Some(Ok(shown)) = now(|cx| terminal.poll_write(cx, &piece[..len])).await else {
                return;
            };
            self.backlog.borrow_mut().shown(shown);
        }
    }

    /// Reads what the guest writes, as fast as it may.
    async fn read_guest(&self, record: &mut Record<LogOf<H>>) -> StreamError {
        let mut piece = [0; PIECE];
        let mut meter = Meter::new(self.domain, self.options.rate, self.timers.now());
        let mut slowed = Seldom::default();
        loop {
            self.room().await;
            let len = match poll_fn(|cx| self.ring.poll_read(cx, &mut piece)).await {
                Ok(len) => len,
                Err(error) => return error,
            };
            self.take(&piece[..len], record).await;
            match meter.take(self.traffic, self.timers.now(), len) {
                Pause::Limit(time) => {
                    if let Some(times) = slowed.again() {
                        let rate = self.options.rate.bytes_a_second;
                        log::warn!(
                            "{} writes more than {rate} bytes a second to its console, and is slowed down (time {times})",
                            self.domain
                        );
                    }
                    self.timers.sleep(time).await;
                }
                Pause::Others(time) => self.timers.sleep(time).await,
                // Others have their turn.
                Pause::None => yield_now().await,
            }
        }
    }

    /// Waits until the backlog may grow; where output may be dropped, not for long and not in vain again.
    async fn room(&self) {
        let discards = self.backlog.borrow().discards();
        if !discards {
            return self.roomy().await;
        }
        if !self.unread.get() && self.timers.timeout(PATIENCE, self.roomy()).await.is_err() {
            self.unread.set(true);
        }
    }

    /// Waits until the backlog has room.
    async fn roomy(&self) {
        loop {
            let seen = self.moved.count();
            if self.backlog.borrow().has_room(PIECE) {
                return;
            }
            self.moved.after(seen).await;
        }
    }

    /// Logs and keeps for the terminal what the guest has written.
    async fn take(&self, bytes: &[u8], record: &mut Record<LogOf<H>>) {
        if self.terminal.is_some() {
            let dropped = self.backlog.borrow_mut().add(bytes);
            self.moved.notify();
            record.dropped(self.domain, dropped);
        }
        record.add(bytes, self.host.wall());
        record.flush(self.domain).await;
    }

    /// Shows at the terminal what waits.
    async fn show(&self) -> Infallible {
        let Some(terminal) = self.terminal else {
            return core::future::pending().await;
        };
        let mut piece = [0; PIECE];
        loop {
            let seen = self.moved.count();
            let len = self.backlog.borrow().peek(&mut piece);
            if len == 0 {
                self.unread.set(false);
                self.moved.after(seen).await;
                continue;
            }
            match poll_fn(|cx| terminal.poll_write(cx, &piece[..len])).await {
                Ok(shown) => {
                    self.backlog.borrow_mut().shown(shown);
                    self.moved.notify();
                }
                Err(error) => return self.without_terminal(error).await,
            }
        }
    }

    /// Gives the guest what is typed.
    async fn type_in(&self) -> StreamError {
        let Some(terminal) = self.terminal else {
            return core::future::pending().await;
        };
        let mut typed = [0; PIECE];
        loop {
            let len = match poll_fn(|cx| terminal.poll_read(cx, &mut typed)).await {
                Ok(len) => len,
                Err(error) => match self.without_terminal(error).await {},
            };
            self.traffic.note(self.domain, self.timers.now());
            let mut rest = &typed[..len];
            while !rest.is_empty() {
                match poll_fn(|cx| self.ring.poll_write(cx, rest)).await {
                    Ok(len) => rest = &rest[len..],
                    Err(error) => return error,
                }
            }
            yield_now().await;
        }
    }

    async fn without_terminal(&self, error: StreamError) -> Infallible {
        log::error!("the terminal of {} is gone: {error}", self.domain);
        core::future::pending().await
    }
}

/// What a poll answers now; `None` if it would wait.
pub(crate) async fn now<T>(
    mut poll: impl FnMut(&mut core::task::Context<'_>) -> Poll<T>,
) -> Option<T> {
    poll_fn(|cx| match poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
