//! The whole server over streams in memory and a clock that the tests set.

mod access_log;
mod app;
mod check;
mod corpus;
mod limits;
mod routes;
mod slow;
mod smuggling;
mod splits;
mod statuses;
mod streaming;
mod support;
mod waiting;
