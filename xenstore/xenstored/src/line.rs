//! A client's stream, and what is kept for after a crash of what is under way in it.

use core::cell::RefCell;
use core::task::{Context, Poll};

use morgana_hal::{ByteStream, StreamError};
use morgana_xenstore_migration::EDITION_ROOM;
use morgana_xenstore_wire::{HEADER_LEN, PAYLOAD_MAX};

use crate::client::Session;
use crate::outbox::{Begun, MOST_UNANSWERED};
use crate::slot::{Keeper, Slot, Standing};
use crate::{Fault, Rings, Served};

/// A client's stream, as its session uses it.
pub(crate) trait Line {
    /// Whether requests that are answered later are to be kept until then.
    const KEEPS_UNANSWERED: bool;

    /// No request is handled while more bytes of replies wait.
    const MOST_WAITING: usize;

    /// As [`ByteStream::poll_read`], but the client need not know of it before [`release`](Self::release).
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>>;

    /// As [`ByteStream::poll_write`].
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>>;

    /// Keeps what has changed of what is under way with the client. To be called before the changes are committed that it has brought about.
    fn keep<R: Rings>(&self, session: &Session<R>);

    /// Keeps what is begun to be sent, if it is not kept yet.
    fn begin<R: Rings>(&self, session: &Session<R>, begun: Begun);

    /// All that was read is kept or handled. Whether there is more to be read of which nobody may tell.
    #[must_use]
    fn release(&self) -> bool;
}

/// That of a local client, which is gone after a crash.
pub(crate) struct LocalLine<S>(pub(crate) S);

impl<S: ByteStream> Line for LocalLine<S> {
    const KEEPS_UNANSWERED: bool = false;
    const MOST_WAITING: usize = usize::MAX;

    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        self.0.poll_read(cx, buffer)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.0.poll_write(cx, bytes)
    }

    fn keep<R: Rings>(&self, _: &Session<R>) {}

    fn begin<R: Rings>(&self, _: &Session<R>, _: Begun) {}

    fn release(&self) -> bool {
        false
    }
}

/// A domain's ring.
pub(crate) struct RingLine<S, M> {
    pub(crate) stream: S,
    keeper: Option<RefCell<Keeper<M>>>,
}

impl<S: Served, M: Slot> RingLine<S, M> {
    /// Without a keeper nothing is kept.
    pub(crate) fn new(stream: S, keeper: Option<Keeper<M>>) -> Self {
        let keeper = keeper.map(RefCell::new);
        Self { stream, keeper }
    }

    /// Keeps all that is under way.
    pub(crate) fn keep_all<R: Rings>(&self, session: &Session<R>, standing: Standing) {
        let Some(keeper) = &self.keeper else {
            return;
        };
        let server = &session.server;
        let buffers = (&*session.inbox, &*session.outbox);
        let mut scratch = server.0.scratch.borrow_mut();
        let position = server.position();
        let mut keeper = keeper.borrow_mut();
        keeper.keep(&mut scratch, position, standing, &self.stream, buffers);
    }

    /// The domain is not served until it begins anew.
    pub(crate) fn pause<R: Rings>(&self, session: &Session<R>, fault: Option<Fault>) {
        self.keep_all(session, Standing::Paused(fault));
        session.server.commit();
    }
}

/// The longest packet.
const PACKET: usize = HEADER_LEN + PAYLOAD_MAX;

impl<S: Served, M: Slot> Line for RingLine<S, M> {
    const KEEPS_UNANSWERED: bool = true;
    /// There is room besides for the next reply, the packet that is being sent, and what was read.
    const MOST_WAITING: usize = EDITION_ROOM - 3 * PACKET - MOST_UNANSWERED;

    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        self.stream.poll_take(cx, buffer)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.stream.poll_write(cx, bytes)
    }

    fn keep<R: Rings>(&self, session: &Session<R>) {
        // Both are to be asked.
        if session.inbox.take_change() | session.outbox.take_change() {
            self.keep_all(session, Standing::Open);
        }
    }

    fn begin<R: Rings>(&self, session: &Session<R>, begun: Begun) {
        let is_kept = match (&self.keeper, begun) {
            (None, _) | (_, Begun::Rest) => true,
            (_, Begun::Event) => false,
            (Some(keeper), Begun::Reply) => {
                let len = session.outbox.rest_len();
                keeper.borrow().covers(self.stream.written(), len)
            }
        };
        if !is_kept {
            self.keep_all(session, Standing::Open);
        }
    }

    fn release(&self) -> bool {
        self.stream.release()
    }
}
