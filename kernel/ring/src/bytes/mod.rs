//! Rings of bytes: one lane each way, in one page (xenstore's and the console's).

mod lane;
mod layout;
mod stream;

pub use lane::{LaneReader, LaneWriter};
pub use layout::{ByteLayout, LaneLayout, Side};
pub use stream::RingStream;
