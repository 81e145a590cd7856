#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod local;
mod remote;

pub use local::{
    Actor, Address, Backoff, Child, ChildOptions, Context, Ended, Failure, Flow, Intensity, Reply,
    RequestError, Restart, SendError, Stop, Strategy, Supervision, Supervisor, Timer, TrySendError,
    WeakAddress, link, spawn,
};
pub use remote::{
    Begun, DialError, EncodeError, Identity, Link, LinkError, LookupError, Malformed, MessageType,
    Near, Node, Peer, Place, Protocol, Reader, RegisterError, RemoteLimits, Tcp, Way, Wire, Writer,
};
