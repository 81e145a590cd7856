//! A driver domain with a switch, and stations behind it that send to each other.

mod frame;
mod liar;
mod roster;
mod station;
mod switch;

pub use liar::liar;
pub use roster::Roster;
pub use station::Station;
pub use switch::{Switched, plug, plug_any, switched, unplug, unplug_any};
