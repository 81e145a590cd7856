//! Master files (RFC 1035 section 5) and what they become.

mod data;
mod error;
mod lexer;
mod parameters;
mod parser;
mod time;
mod types;

pub use error::{Reason, ZoneError};
pub use parser::ZoneParser;
pub(crate) use types::Field;
