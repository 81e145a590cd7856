//! The counter's node.

use alloc::rc::Rc;
use core::fmt;
use core::time::Duration;

use morgana_actors::{
    Backoff, Child, ChildOptions, Identity, Intensity, Node, RemoteLimits, Strategy, Supervision,
    Supervisor,
};
use morgana_exec::{Handle, TooManyTasks};
use morgana_hal::ByteStream;

use crate::message::{Counter, NAME};

/// A peer is gone after three seconds without a frame, of which there is one each half second.
pub const LIMITS: RemoteLimits = RemoteLimits {
    alive: Duration::from_millis(500),
    silence: Duration::from_secs(3),
    ..RemoteLimits::DEFAULT
};

/// Connections at a time.
const MOST: usize = 64;
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(50),
    most: Duration::from_secs(5),
};

/// A node with a counter. Cheap to clone; the counter ends with the last clone.
#[derive(Clone, Debug)]
pub struct Served {
    node: Node,
    tasks: Handle,
    /// One more than there are connections.
    connections: Rc<()>,
    _supervision: Rc<Supervision>,
}

impl Served {
    /// Starts a counter, and a supervisor that starts it again when it fails.
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`].
    pub fn start(tasks: &Handle, identity: Identity) -> Result<Self, TooManyTasks> {
        let (counter, child) = Child::actor(ChildOptions::DEFAULT, Counter::default);
        let seed = identity.incarnation;
        let supervision = Supervisor::new(Strategy::OneForOne, Intensity::DEFAULT, BACKOFF, seed)
            .with(child)
            .start(tasks)?;
        let node = Node::new(tasks, identity, LIMITS);
        // It is the node's only name.
        if let Err(error) = node.register(NAME, &counter) {
            log::error!("{NAME}: {error}");
        }
        Ok(Self {
            node,
            tasks: tasks.clone(),
            connections: Rc::default(),
            _supervision: Rc::new(supervision),
        })
    }

    /// Serves a peer until the connection to it ends, and logs that.
    pub async fn serve<S: ByteStream>(&self, stream: S, peer: impl fmt::Display) {
        let (_link, running) = self.node.attach(stream);
        log::info!("{peer} is connected");
        let why = running.await;
        log::info!("{peer} is gone: {why}");
    }

    /// The same as a task. One too many is dropped.
    pub fn take<S: ByteStream>(&self, stream: S, peer: impl fmt::Display + 'static) {
        if Rc::strong_count(&self.connections) > MOST {
            log::warn!("{peer}: there are {MOST} connections already");
            return;
        }
        let (served, place) = (self.clone(), self.connections.clone());
        let task = self.tasks.spawn(async move {
            served.serve(stream, peer).await;
            drop(place);
        });
        if let Err(error) = task {
            log::warn!("a connection is refused: {error}");
        }
    }
}
