//! What goes wrong on purpose.

mod engine;
mod plan;

pub use engine::Struck;
pub(crate) use engine::{Faults, Operation};
pub use plan::{Fault, FaultPlan, Odds, Trouble};
