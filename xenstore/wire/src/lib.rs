#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod decoder;
mod encode;
mod errno;
mod fields;
mod header;
mod operation;
mod path;
mod permission;
mod reply;
mod request;

pub use decoder::{BadStream, Decoder, Packet};
pub use encode::{PayloadTooLong, encode};
pub use errno::Errno;
pub use fields::{Fields, Malformed};
pub use header::{HEADER_LEN, Header, PAYLOAD_MAX, RequestId, TransactionId};
pub use operation::Operation;
pub use path::{ABSOLUTE_PATH_MAX, Path, PathError, RELATIVE_PATH_MAX};
pub use permission::{Access, Permission};
pub use reply::{DirectoryPart, WatchEvent, parse_flag, parse_names, parse_number};
pub use request::{Commit, Request};
