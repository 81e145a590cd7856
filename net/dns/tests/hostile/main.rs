//! What strangers send, and what is in zone files: anything.

mod corpus;
mod query;
mod zone;
