//! TCP: connections around smoltcp's sockets.

mod calls;
mod connection;
mod cookie;
mod egress;
mod emit;
mod error;
mod ingress;
mod listener;
mod names;
mod options;
mod park;
mod settle;
mod stream;
mod table;
mod wire;

pub(crate) use egress::Room;
pub(crate) use park::Phantom;
pub(crate) use table::Tcp;
pub(crate) use wire::Wire;

pub use error::{ConnectError, ListenError, TcpError};
pub use listener::TcpListener;
pub use options::{Buffers, Coalesce, ConnectOptions, ListenOptions, TcpOptions};
pub use stream::{ReadHalf, TcpStream, WriteHalf};
