//! Zones and queries in, answers out.

mod answers;
mod messages;
mod support;
