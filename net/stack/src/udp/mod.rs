//! UDP. Receiving is done here; for sending smoltcp finds the way and the neighbour.

mod egress;
mod queue;
mod socket;

pub(crate) use queue::Udp;
pub use socket::{Received, UdpError, UdpOptions, UdpSocket};
