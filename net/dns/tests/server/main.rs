//! Zones and queries in, answers out.

mod aliases;
mod answers;
mod messages;
mod support;
