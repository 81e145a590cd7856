//! What the store's owner knows of connections, and the store does not.

use alloc::vec::Vec;

use morgana_hal::{DomId, Port};
use morgana_xenstore_migration::Descriptor;

use crate::{ConnectionId, Store};

/// What a daemon as a whole hands over to the next, besides the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// The socket at which local clients come.
    pub socket: Descriptor,
    /// The event channel device.
    pub events: Descriptor,
    /// The locked file with the process's id.
    pub pid_file: Descriptor,
}

impl Default for HandOver {
    /// Nothing.
    fn default() -> Self {
        Self {
            socket: Descriptor::NONE,
            events: Descriptor::NONE,
            pid_file: Descriptor::NONE,
        }
    }
}

/// How a connection is reached, and what is under way on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// How it is reached.
    pub reach: Reach,
    /// Whether it is served.
    pub service: Service,
    /// What was read and not handled.
    pub input: Vec<u8>,
    /// What waits to be sent, packet by packet; of the first some may be sent already.
    pub output: Vec<u8>,
    /// How much of the output is the rest of a packet whose beginning was sent.
    pub partial: u16,
}

/// How a connection is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// By a domain's ring, and the daemon's own port.
    Ring(DomId, Port),
    /// By a socket.
    Socket(Descriptor),
}

/// Whether a client is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    /// It is.
    Open,
    /// Not until it asks to begin anew: it has broken the protocol.
    Paused,
}

/// A store that was made from a stream, and what its owner has to take up.
#[derive(Debug)]
pub struct Loaded {
    /// The store.
    pub store: Store,
    /// What the daemon before has left open.
    pub left: HandOver,
    /// The connections.
    pub links: Vec<(ConnectionId, Link)>,
}
