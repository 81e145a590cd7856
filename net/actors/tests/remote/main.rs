//! Two nodes, over streams in memory and over TCP.

mod malformed;
mod nodes;
mod support;
mod ways;
