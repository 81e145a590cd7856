//! The self-scaling service in a testbed: its domains, the toolstack's daemon in dom0, and where all of them are.

mod addresses;
mod chaos;
mod load;
mod run;
mod service;

pub(crate) use addresses::{AUTOSCALER, BALANCER};
pub(crate) use chaos::{Chaos, Kill};
pub(crate) use load::Load;
pub(crate) use run::{Run, State};
pub(crate) use service::{Fleet, Ledger, Plan, Service};
