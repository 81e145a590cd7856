#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod address;
mod cidr;
mod config;
mod configure;
mod dhcp;
mod engine;
mod flow;
mod frame;
mod hash;
mod limits;
mod ndp;
mod neighbors;
mod parse;
mod phy;
mod slaac;
mod stack;
mod stats;
mod tcp;
mod time;
mod udp;

pub use address::{Addresses, MAX_IPV6_ADDRESSES};
pub use cidr::Cidr;
pub use config::{AddressConfig, Ipv4Config, Ipv6Config, MAX_DNS_SERVERS};
pub use limits::Limits;
pub use parse::{ConfigError, ConfigProblem};
pub use stack::{Runner, Stack, StackConfig};
pub use stats::Stats;
pub use tcp::{
    Buffers, Coalesce, ConnectError, ConnectOptions, ListenError, ListenOptions, ReadHalf,
    TcpError, TcpListener, TcpOptions, TcpStream, WriteHalf,
};
pub use udp::{Received, UdpError, UdpOptions, UdpSocket};
