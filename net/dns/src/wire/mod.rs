//! Messages (RFC 1035 section 4): queries as they come, answers as they are written.

mod header;
mod query;
mod writer;

pub(crate) use header::{AA, CD, HEADER_LEN, RD, TC, opcode, rcode};
pub(crate) use query::{Edns, Options, Parsed, Query, parse};
pub(crate) use writer::{Full, Owner, Section, Writer};
