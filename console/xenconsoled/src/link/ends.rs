//! The daemon's end of the link: logs and terminals that are elsewhere.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_exec::{Either, Waiters, select};
use morgana_hal::{ByteStream, DomId, StreamError};

use super::frame::{Frame, Frames, Kind, MAX_CONTENT, credit};
use super::queue::Queue;
use super::{LinkError, TYPED_WINDOW, WINDOW};
use crate::{Log, Outlets};

/// The daemon's end. Clones are the same one. While there is no helper at the other end, guests wait when their rings are full, so nothing
/// that they write is lost.
#[derive(Clone, Default)]
pub struct Link(Rc<Inner>);

#[derive(Default)]
struct Inner {
    queue: Queue,
    guests: RefCell<BTreeMap<DomId, Guest>>,
    /// There is a helper. One that comes is told of all guests, so that nothing needs to wait for it that says who has come and gone.
    helped: Cell<bool>,
}

/// A guest's terminal, as far as it is here.
#[derive(Default)]
struct Guest {
    /// What was typed, and the guest has not had yet.
    typed: VecDeque<u8>,
    /// How many bytes of it were typed at an earlier helper: this one gets no credit for them.
    stale: usize,
    /// How many bytes more may be shown.
    credit: usize,
    waiters: Waiters,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guests: Vec<DomId> = self.0.guests.borrow().keys().copied().collect();
        f.debug_struct("Link")
            .field("guests", &guests)
            .finish_non_exhaustive()
    }
}

/// A guest's log, at the other end.
#[derive(Debug)]
pub struct LinkLog {
    link: Link,
    domain: DomId,
}

/// A guest's terminal, at the other end.
#[derive(Debug)]
pub struct LinkTerminal {
    link: Link,
    domain: DomId,
}

impl Link {
    /// Serves a helper that has come, until it goes.
    pub async fn drive<S: ByteStream>(&self, stream: &S) -> LinkError {
        self.begin();
        let _helped = Helped::begin(&self.0.helped);
        let both = select(self.0.queue.send(stream), self.receive(stream)).await;
        match both {
            Either::First(Err(error)) => error.into(),
            Either::Second(Err(error)) => error,
            Either::First(Ok(never)) | Either::Second(Ok(never)) => match never {},
        }
    }

    /// The helper knows nothing yet: all guests are opened for it, and what was said to another one of guests and credit is forgotten.
    fn begin(&self) {
        let mut guests = self.0.guests.borrow_mut();
        for guest in guests.values_mut() {
            guest.credit = WINDOW;
            // More than that there is only if a guest reads nothing while helpers come and go.
            guest.typed.truncate(TYPED_WINDOW);
            guest.stale = guest.typed.len();
        }
        self.0.queue.retain(|bytes| {
            let mut frames = Frames::default();
            frames.add(bytes);
            let Ok(Some(frame)) = frames.next() else {
                return false;
            };
            let Some(guest) = guests.get_mut(&frame.domain) else {
                return false;
            };
            if frame.kind == Kind::Shown {
                // Those of an earlier guest of the same number may be among them.
                let Some(credit) = guest.credit.checked_sub(frame.content.len()) else {
                    return false;
                };
                guest.credit = credit;
            }
            matches!(frame.kind, Kind::Shown | Kind::Logged)
        });
        let opened = guests.keys();
        let opened = opened.map(|&domain| about(Kind::Open, domain).bytes());
        self.0.queue.push_front(opened);
    }

    async fn receive<S: ByteStream>(&self, stream: &S) -> Result<Infallible, LinkError> {
        let mut frames = Frames::default();
        let mut piece = [0; 512];
        loop {
            let len = poll_fn(|cx| stream.poll_read(cx, &mut piece)).await?;
            frames.add(&piece[..len]);
            while let Some(frame) = frames.next()? {
                self.take(frame)?;
            }
        }
    }

    fn take(&self, frame: Frame<'_>) -> Result<(), LinkError> {
        let mut guests = self.0.guests.borrow_mut();
        // It may have gone since.
        let Some(guest) = guests.get_mut(&frame.domain) else {
            return Ok(());
        };
        match frame.kind {
            Kind::Typed => {
                let sent = guest.typed.len() - guest.stale + self.0.queue.owed(frame.domain);
                if sent + frame.content.len() > TYPED_WINDOW {
                    return Err(LinkError::Breach);
                }
                guest.typed.extend(frame.content);
            }
            Kind::Credit => {
                let more = credit(frame.content)?;
                if more > WINDOW - guest.credit.min(WINDOW) {
                    return Err(LinkError::Breach);
                }
                guest.credit += more;
            }
            _ => return Err(LinkError::Breach),
        }
        guest.waiters.wake_all();
        Ok(())
    }
}

/// As long as there is a helper.
struct Helped<'a>(&'a Cell<bool>);

impl<'a> Helped<'a> {
    fn begin(helped: &'a Cell<bool>) -> Self {
        helped.set(true);
        Self(helped)
    }
}

impl Drop for Helped<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Inner {
    /// Tells the helper, if there is one.
    fn tell(&self, kind: Kind, domain: DomId) {
        if self.helped.get() {
            self.queue.push(&about(kind, domain));
        }
    }
}

impl Outlets for Link {
    type Log = LinkLog;
    type Terminal = LinkTerminal;

    /// The log of a domain that has a terminal. The helper finds out the name.
    fn open_log(&self, domain: DomId, _: &str) -> Option<LinkLog> {
        Some(LinkLog {
            link: self.clone(),
            domain,
        })
    }

    /// The terminal of a domain, until it is dropped. The helper says where it is.
    fn open_terminal(&self, domain: DomId) -> Option<(LinkTerminal, Option<String>)> {
        let guest = Guest {
            credit: WINDOW,
            ..Guest::default()
        };
        self.0.guests.borrow_mut().insert(domain, guest);
        self.0.tell(Kind::Open, domain);
        let terminal = LinkTerminal {
            link: self.clone(),
            domain,
        };
        Some((terminal, None))
    }
}

/// A frame that says nothing but what it is.
fn about(kind: Kind, domain: DomId) -> Frame<'static> {
    Frame {
        kind,
        domain,
        content: &[],
    }
}

impl Log for LinkLog {
    type Error = Infallible;

    fn poll_add(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Self::Error>> {
        let content = &bytes[..bytes.len().min(MAX_CONTENT)];
        let frame = Frame {
            kind: Kind::Logged,
            domain: self.domain,
            content,
        };
        self.link
            .0
            .queue
            .poll_push(cx, &frame)
            .map(|()| Ok(content.len()))
    }
}

impl ByteStream for LinkTerminal {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        let mut guests = self.link.0.guests.borrow_mut();
        let Some(guest) = guests.get_mut(&self.domain) else {
            return Poll::Ready(Err(StreamError::Closed));
        };
        let len = guest.typed.len().min(buffer.len());
        if len == 0 && !buffer.is_empty() {
            guest.waiters.register(cx.waker());
            return Poll::Pending;
        }
        for (into, byte) in buffer.iter_mut().zip(guest.typed.drain(..len)) {
            *into = byte;
        }
        let stale = len.min(guest.stale);
        guest.stale -= stale;
        self.link.0.queue.give(self.domain, len - stale);
        Poll::Ready(Ok(len))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        let mut guests = self.link.0.guests.borrow_mut();
        let Some(guest) = guests.get_mut(&self.domain) else {
            return Poll::Ready(Err(StreamError::Closed));
        };
        let len = bytes.len().min(guest.credit).min(MAX_CONTENT);
        if len == 0 && !bytes.is_empty() {
            guest.waiters.register(cx.waker());
            return Poll::Pending;
        }
        let frame = Frame {
            kind: Kind::Shown,
            domain: self.domain,
            content: &bytes[..len],
        };
        if self.link.0.queue.poll_push(cx, &frame).is_pending() {
            return Poll::Pending;
        }
        guest.credit -= len;
        Poll::Ready(Ok(len))
    }
}

impl Drop for LinkTerminal {
    fn drop(&mut self) {
        self.link.0.guests.borrow_mut().remove(&self.domain);
        self.link.0.queue.forget(self.domain);
        self.link.0.tell(Kind::Close, self.domain);
    }
}
