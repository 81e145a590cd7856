//! A node: its names, and what its connections may cost.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use core::time::Duration;

use morgana_exec::Handle;
use morgana_hal::ByteStream;

use super::channel::{self, Incoming, Refusal};
use super::error::{LinkError, RegisterError};
use super::link::{Link, Shared};
use super::protocol::{MessageType, Protocol};
use super::run;
use crate::{Address, WeakAddress};

/// Who a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// No other node has the same.
    pub node: u64,
    /// Another one at each start of the node, for example random.
    pub incarnation: u64,
}

/// What one connection may cost. Both nodes need not have the same, but for `frame`: a longer one ends the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RemoteLimits {
    /// Bytes of a frame.
    pub frame: usize,
    /// Bytes that wait to be sent, before messages wait in their mailboxes.
    pub queued: usize,
    /// Bytes that wait to be sent, with answers, which can't wait: more end the connection.
    pub answers: usize,
    /// Requests that wait for answers: further messages wait.
    pub requests: usize,
    /// The peer's requests that are not answered yet: further ones are not.
    pub answering: usize,
    /// Channels of each direction.
    pub channels: usize,
    /// Channels to the actors of this node over all of its connections, those included that are closed and still deliver.
    pub places: usize,
    /// Messages that the peer may send on a channel before the actor's mailbox has taken them.
    pub window: u32,
    /// Bytes of a name.
    pub name: usize,
    /// Names of a node.
    pub names: usize,
    /// A sign of life is sent so often.
    pub alive: Duration,
    /// A peer that is silent for so long is gone.
    pub silence: Duration,
}

impl RemoteLimits {
    /// 16 KiB, 64 KiB, 1 MiB; 256 and 1,024 requests; 64 channels with 16 messages, 512 of all connections; 64 bytes, 64 names; 2 s and 10 s.
    pub const DEFAULT: Self = Self {
        frame: 16 * 1024,
        queued: 64 * 1024,
        answers: 1024 * 1024,
        requests: 256,
        answering: 1024,
        channels: 64,
        places: 512,
        window: 16,
        name: 64,
        names: 64,
        alive: Duration::from_secs(2),
        silence: Duration::from_secs(10),
    };
}

pub(crate) type Open = dyn Fn(&Rc<Shared>, u32, Rc<()>) -> Result<Option<Incoming>, LinkError>;

struct Name {
    messages: MessageType,
    open: Rc<Open>,
    lives: Box<dyn Fn() -> bool>,
}

/// A node: actors under names, which its peers can find. Cheap to clone.
#[derive(Clone)]
pub struct Node(Rc<Inner>);

pub(crate) struct Inner {
    pub(crate) identity: Identity,
    limits: RemoteLimits,
    tasks: Handle,
    names: RefCell<BTreeMap<String, Name>>,
    /// Its clones are the channels to actors here, of all connections, those included that are closed and still deliver.
    places: Rc<()>,
}

impl Node {
    /// A node without names.
    pub fn new(tasks: &Handle, identity: Identity, limits: RemoteLimits) -> Self {
        Self(Rc::new(Inner {
            identity,
            limits,
            tasks: tasks.clone(),
            names: RefCell::default(),
            places: Rc::default(),
        }))
    }

    /// Lets peers find an actor. The name keeps it not alive; a channel that a peer has opened does. What has ended leaves its name to others.
    ///
    /// # Errors
    ///
    /// [`RegisterError`].
    pub fn register<M: Protocol>(
        &self,
        name: &str,
        actor: &Address<M>,
    ) -> Result<(), RegisterError> {
        let limits = &self.0.limits;
        if name.is_empty() || name.len() > limits.name {
            return Err(RegisterError::Name);
        }
        let mut names = self.0.names.borrow_mut();
        names.retain(|_, name| (name.lives)());
        if names.contains_key(name) {
            return Err(RegisterError::InUse);
        }
        if names.len() >= limits.names {
            return Err(RegisterError::TooMany);
        }
        let weak: WeakAddress<M> = actor.downgrade();
        let lives = weak.clone();
        let (tasks, window) = (self.0.tasks.clone(), limits.window);
        let open = Rc::new(move |link: &Rc<Shared>, id, place| {
            channel::open(&weak, link, id, window, &tasks, place)
        });
        let lives = Box::new(move || lives.upgrade().is_some());
        let messages = M::TYPE;
        names.insert(
            name.into(),
            Name {
                messages,
                open,
                lives,
            },
        );
        Ok(())
    }

    /// Gives a name up. Channels that are open stay so.
    pub fn unregister(&self, name: &str) {
        self.0.names.borrow_mut().remove(name);
    }

    /// Talks to a peer over a stream, whichever side has connected it: TCP, a vchan, or one in memory. The future is the connection: it has to run, for example as a
    /// task, and is ready with the reason when the connection has ended. Dropping it ends the connection.
    pub fn attach<S: ByteStream>(
        &self,
        stream: S,
    ) -> (Link, impl Future<Output = LinkError> + use<S>) {
        let shared = Shared::new(self.0.limits, self.0.tasks.clone());
        let link = Link(shared.clone());
        (link, run::run(self.0.clone(), shared, stream))
    }
}

impl Inner {
    /// A place for one more channel, if there is one.
    pub(crate) fn place(&self) -> Option<Rc<()>> {
        (Rc::strong_count(&self.places) <= self.limits.places).then(|| self.places.clone())
    }

    /// What opens a channel to the actor of a name, if its messages are of this type.
    pub(crate) fn find(&self, name: &str, messages: MessageType) -> Result<Rc<Open>, Refusal> {
        let names = self.names.borrow();
        let name = names.get(name).filter(|name| (name.lives)());
        let name = name.ok_or(Refusal::Unknown)?;
        if name.messages != messages {
            return Err(Refusal::Type(name.messages));
        }
        Ok(name.open.clone())
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("identity", &self.0.identity)
            .finish_non_exhaustive()
    }
}
