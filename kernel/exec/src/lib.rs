#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod channel;
mod duplex;
mod executor;
mod manual;
#[cfg(all(test, loom))]
mod models;
mod notify;
mod ready;
mod seldom;
mod select;
mod small_map;
mod sync;
mod task;
mod time_of_day;
mod timers;
mod waiters;
mod yielding;

pub use channel::{Closed, Receiver, Sender, TrySendError, channel};
pub use duplex::{Duplex, duplex};
pub use executor::{Executor, Handle, MAX_TASKS, TooManyTasks};
pub use manual::{ManualClock, ManualIdle};
pub use notify::Notify;
pub use seldom::Seldom;
pub use select::{Either, join, join_all, select};
pub use small_map::SmallMap;
pub use task::Task;
pub use time_of_day::TimeOfDay;
pub use timers::{Elapsed, Sleep, Timers};
pub use waiters::Waiters;
pub use yielding::yield_now;
