//! The meaning of HTTP (RFC 9110) as plain functions: what an answer to a request is, given the handler's response.

mod answer;
mod coding;
mod conditional;
mod date;
mod etag;
mod portion;
mod range;
mod response;

pub use answer::{Answer, AnswerContext, Delimiter};
pub use coding::Coding;
pub use conditional::{Precondition, evaluate, range_applies};
pub use date::UnixTime;
pub use etag::EntityTag;
pub use portion::Portion;
pub use range::{Selection, select};
pub use response::{Body, Length, Response};
