//! Actors of one executor, under a clock that jumps to the next deadline.

mod actors;
mod restarts;
mod support;
