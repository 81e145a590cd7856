//! The wire format of HTTP/1.x (RFC 9112) as plain functions: no stream, no clock, no allocation.

mod ascii;
mod chunked;
mod error;
mod framing;
mod headers;
mod method;
mod path;
mod request;
mod response;
mod scan;
mod status;
mod writer;

pub use chunked::{ChunkedDecoder, ChunkedError, Decoded};
pub use error::HeadError;
pub use framing::{Expectation, Framing, Persistence};
pub use headers::{HeaderIter, Headers, elements};
pub use method::{Method, Methods};
pub use path::{PathError, normalise};
pub use request::{HeadLimits, Request, Version};
pub use response::{ResponseError, ResponseFraming, ResponseHead};
pub use scan::{HeadScanner, HeadSpan};
pub use status::Status;
pub use writer::{HeadWriter, UnfitHead};

pub(crate) use ascii::{decimal, trim};
