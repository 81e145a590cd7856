//! A fleet: machines of one kind, as many as the load wants.

mod actor;
mod operations;
mod plan;

pub use actor::{Fleet, FleetMessage, FleetState};
pub use operations::{Kind, Operations};
pub use plan::{
    Hand, Health, InHand, Leaving, Life, Machine, Member, Memory, Rules, Step, View, plan,
};
