//! One connection to another node: what both of its loops and all of its channels share.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;

use morgana_exec::{Handle, Notify};

use super::channel::{Incoming, Outgoing, Refusal, State, to_byte};
use super::codec::{Reader, Wire, Writer};
use super::error::{EncodeError, LinkError, LookupError, Malformed};
use super::frame::{self, Kind};
use super::node::{Identity, RemoteLimits};
use super::protocol::{MessageType, Protocol};
use super::proxy;
use crate::local::actor::Ended;
use crate::{Address, Reply};

/// What takes an answer out of its frame.
type Answer = Box<dyn FnOnce(Reader<'_>) -> Result<(), Malformed>>;

/// A request that waits for its answer.
struct Request {
    answer: Answer,
    is_wanted: Rc<dyn Fn() -> bool>,
}

pub(crate) struct Shared {
    pub(crate) limits: RemoteLimits,
    pub(crate) tasks: Handle,
    pub(crate) out: RefCell<VecDeque<u8>>,
    /// Bytes were added to or taken from `out`, or the number of requests sank.
    pub(crate) moved: Notify,
    pub(crate) fault: Cell<Option<LinkError>>,
    pub(crate) peer: Cell<Option<Identity>>,
    pub(crate) outgoing: RefCell<BTreeMap<u32, Rc<Outgoing>>>,
    pub(crate) incoming: RefCell<BTreeMap<u32, Incoming>>,
    requests: RefCell<BTreeMap<u32, Request>>,
    next_request: Cell<u32>,
    next_channel: Cell<u32>,
    /// Requests of the peer that are not answered yet.
    answering: Cell<usize>,
    lost: Cell<u64>,
}

/// A connection to another node. Cheap to clone. The connection itself is the future that [`Node::attach`](crate::Node::attach) gives beside this.
#[derive(Clone)]
pub struct Link(pub(crate) Rc<Shared>);

impl Link {
    /// The address of the actor that is registered as `name` at the peer; waits until the peer has answered. `capacity` is that of the address's own
    /// mailbox, where messages wait that the peer has no room for yet. An actor whose messages are of another type than `M` is not to be had.
    ///
    /// The address is as any other one, with these differences. Delivery is at most once: what is in flight when the connection goes is lost. Then the address ends for good as
    /// [`Ended::PeerGone`], and requests end with [`RequestError::PeerGone`](crate::RequestError::PeerGone). Dropping or stopping the address ends the way to the actor, not the actor.
    ///
    /// # Errors
    ///
    /// [`LookupError`].
    pub async fn lookup<M: Protocol>(
        &self,
        name: &str,
        capacity: usize,
    ) -> Result<Address<M>, LookupError> {
        proxy::open(&self.0, name, capacity).await
    }

    /// Who the peer is, once it has said so.
    pub fn peer(&self) -> Option<Identity> {
        self.0.peer.get()
    }

    /// Why the connection has ended, if it has.
    pub fn ended(&self) -> Option<LinkError> {
        self.0.fault.get()
    }

    /// How many messages could not be sent, since they were too long or asked too much.
    pub fn lost(&self) -> u64 {
        self.0.lost.get()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("peer", &self.peer())
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(limits: RemoteLimits, tasks: Handle) -> Rc<Self> {
        Rc::new(Self {
            limits,
            tasks,
            out: RefCell::default(),
            moved: Notify::default(),
            fault: Cell::new(None),
            peer: Cell::new(None),
            outgoing: RefCell::default(),
            incoming: RefCell::default(),
            requests: RefCell::default(),
            next_request: Cell::new(0),
            next_channel: Cell::new(0),
            answering: Cell::new(0),
            lost: Cell::new(0),
        })
    }

    /// Queues a frame. What can't wait for room and finds far too little ends the connection.
    pub(crate) fn push(&self, kind: Kind, id: u32, rest: &[u8]) {
        self.push_frame(&frame::whole(kind, id, rest));
    }

    fn push_frame(&self, frame: &[u8]) {
        if self.fault.get().is_some() {
            return;
        }
        let mut out = self.out.borrow_mut();
        if out.len() + frame.len() > self.limits.answers {
            self.fail(LinkError::Overrun);
            return;
        }
        out.extend(frame);
        self.moved.notify();
    }

    /// Ends the connection.
    pub(crate) fn fail(&self, error: LinkError) {
        if self.fault.get().is_none() {
            self.fault.set(Some(error));
        }
        self.moved.notify();
    }

    /// Whether a message may be sent now: there is room, and few enough requests wait.
    pub(crate) fn has_room(&self) -> bool {
        if self.out.borrow().len() >= self.limits.queued {
            return false;
        }
        if self.requests.borrow().len() < self.limits.requests {
            return true;
        }
        let mut unwanted = Vec::new();
        {
            let mut requests = self.requests.borrow_mut();
            let ids: Vec<u32> = requests
                .iter()
                .filter(|(_, request)| !(request.is_wanted)())
                .map(|(&id, _)| id)
                .collect();
            unwanted.extend(ids.iter().filter_map(|id| requests.remove(id)));
        }
        self.requests.borrow().len() < self.limits.requests
    }

    /// Sends a message on a channel.
    pub(crate) fn send<M: Wire>(self: &Rc<Self>, channel: u32, message: M) {
        let mut bytes = frame::begin(Kind::Message, channel);
        let most = self.limits.frame + 4;
        match Writer::new(&mut bytes, most, self).write(message) {
            Ok(()) => {
                frame::finish(&mut bytes);
                self.push_frame(&bytes);
            }
            Err(_) => self.lost.set(self.lost.get() + 1),
        }
    }

    /// A new request, whose answer goes to `reply`.
    pub(crate) fn ask<R: Wire>(&self, reply: Reply<R>) -> Result<u32, EncodeError> {
        // One message may hold more than one.
        if self.requests.borrow().len() >= 2 * self.limits.requests
            || self.next_request.get() == u32::MAX
        {
            return Err(EncodeError::TooManyRequests);
        }
        let id = self.next_request.get();
        self.next_request.set(id + 1);
        let reply = Rc::new(RefCell::new(Some(reply)));
        let kept = reply.clone();
        let request = Request {
            answer: Box::new(move |reader| {
                let answer = reader.read::<R>()?;
                if let Some(reply) = reply.take() {
                    reply.send(answer);
                }
                Ok(())
            }),
            is_wanted: Rc::new(move || kept.borrow().as_ref().is_some_and(Reply::is_wanted)),
        };
        self.requests.borrow_mut().insert(id, request);
        Ok(id)
    }

    pub(crate) fn forget_request(&self, id: u32) {
        let request = self.requests.borrow_mut().remove(&id);
        drop(request);
        self.moved.notify();
    }

    /// The peer's answer; without a reader, there is none.
    pub(crate) fn answered(&self, id: u32, reader: Option<Reader<'_>>) -> Result<(), Malformed> {
        if id >= self.next_request.get() {
            return Err(Malformed::Request(id));
        }
        let request = self.requests.borrow_mut().remove(&id);
        self.moved.notify();
        // One that is no longer wanted was forgotten.
        match (request, reader) {
            (Some(request), Some(reader)) => (request.answer)(reader),
            _ => Ok(()),
        }
    }

    /// A reply whose answer goes to the peer.
    pub(crate) fn answerer<R: Wire>(this: &Rc<Self>, id: u32) -> Reply<R> {
        if this.answering.get() >= this.limits.answering {
            this.push(Kind::NoAnswer, id, &[]);
            return Reply::nowhere();
        }
        this.answering.set(this.answering.get() + 1);
        let link = Rc::downgrade(this);
        Reply::there(move |answer: Option<R>| {
            let Some(link) = link.upgrade() else { return };
            link.answering.set(link.answering.get() - 1);
            let mut bytes = frame::begin(Kind::Answer, id);
            let most = link.limits.frame + 4;
            let written = answer
                .is_some_and(|answer| Writer::new(&mut bytes, most, &link).write(answer).is_ok());
            if written {
                frame::finish(&mut bytes);
                link.push_frame(&bytes);
            } else {
                link.push(Kind::NoAnswer, id, &[]);
            }
        })
    }

    /// A new channel to the actor of a name.
    pub(crate) fn open(
        &self,
        name: &str,
        messages: MessageType,
        close: Box<dyn Fn(Ended)>,
    ) -> Result<(u32, Rc<Outgoing>), LookupError> {
        if self.fault.get().is_some() {
            return Err(LookupError::PeerGone);
        }
        if name.is_empty() || name.len() > self.limits.name {
            return Err(LookupError::Name);
        }
        let mut outgoing = self.outgoing.borrow_mut();
        let id = self.next_channel.get();
        if outgoing.len() >= self.limits.channels || id == u32::MAX {
            return Err(LookupError::TooMany);
        }
        self.next_channel.set(id + 1);
        let channel = Rc::new(Outgoing {
            state: Cell::new(State::Opening),
            credit: Cell::new(0),
            changed: Notify::default(),
            close,
        });
        outgoing.insert(id, channel.clone());
        drop(outgoing);
        let rest = [&messages.bytes()[..], name.as_bytes()].concat();
        self.push(Kind::Open, id, &rest);
        Ok((id, channel))
    }

    /// The opener needs a channel no more.
    pub(crate) fn close_outgoing(&self, id: u32) {
        let channel = self.outgoing.borrow_mut().remove(&id);
        if channel.is_some() {
            self.push(Kind::Close, id, &[]);
        }
    }

    /// The actor of a channel has ended.
    pub(crate) fn end_incoming(&self, id: u32, ended: Ended) {
        let channel = self.incoming.borrow_mut().remove(&id);
        if channel.is_some() {
            self.push(Kind::Ended, id, &[to_byte(ended)]);
        }
    }

    pub(crate) fn refuse(&self, id: u32, refusal: Refusal) {
        self.push(Kind::Refused, id, &refusal.bytes());
    }

    /// The connection is gone: ends all that depends on it. Mailboxes first, so that whoever waits for an answer hears of the reason.
    pub(crate) fn end(&self) {
        let outgoing = core::mem::take(&mut *self.outgoing.borrow_mut());
        for channel in outgoing.values() {
            channel.state.set(State::Ended(Ended::PeerGone));
            (channel.close)(Ended::PeerGone);
            channel.changed.notify();
        }
        let incoming = core::mem::take(&mut *self.incoming.borrow_mut());
        let requests = core::mem::take(&mut *self.requests.borrow_mut());
        self.out.borrow_mut().clear();
        self.moved.notify();
        drop((incoming, requests));
    }
}
