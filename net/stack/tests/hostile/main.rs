//! A hostile link: the corpus of the fuzz target `stack_frames`, replayed, and what it has found.

mod check;
mod corpus;
mod link;
mod script;
