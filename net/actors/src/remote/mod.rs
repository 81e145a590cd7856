//! Actors of other nodes: a wire format, connections, registered names.

mod begun;
mod channel;
mod codec;
mod error;
mod frame;
mod link;
mod node;
mod peer;
mod place;
mod protocol;
mod proxy;
mod run;

pub use begun::Begun;
pub use codec::{Reader, Wire, Writer};
pub use error::{EncodeError, LinkError, LookupError, Malformed, RegisterError};
pub use link::Link;
pub use node::{Identity, Node, RemoteLimits};
pub use peer::Peer;
pub use place::{DialError, Near, Place, Tcp, Way};
pub use protocol::{MessageType, Protocol};
