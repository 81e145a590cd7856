//! The client, against our own server and against servers that lie.

mod check;
mod corpus;
mod forwarding;
mod hostile;
mod origin;
mod scripted;
mod with_server;
