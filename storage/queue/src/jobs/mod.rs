//! The state of a queue in memory and what changes it. No I/O, and time is an argument.

mod logged;
mod operations;
mod state;
mod transitions;
#[cfg(test)]
mod view;

pub(crate) use state::Jobs;
#[cfg(test)]
pub(crate) use view::View;

use crate::job::State;
use state::place;
