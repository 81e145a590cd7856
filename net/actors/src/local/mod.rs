//! Actors of one executor: mailboxes, addresses, requests, timers, supervision.

pub(crate) mod actor;
mod address;
mod child;
mod control;
pub(crate) mod mailbox;
pub(crate) mod policy;
mod reply;
mod supervisor;
mod timer;

pub use actor::{Actor, Context, Ended, Failure, Flow, link, spawn};
pub use address::{Address, SendError, TrySendError, WeakAddress};
pub use child::{Child, ChildOptions};
pub use control::Stop;
pub use policy::{Backoff, Intensity, Restart, Strategy};
pub use reply::{Reply, RequestError};
pub use supervisor::{Supervision, Supervisor};
pub use timer::Timer;
