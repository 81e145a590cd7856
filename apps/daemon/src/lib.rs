#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod background;
mod logfile;
pub mod logging;
mod parts;
pub mod pidfile;
mod socket;
mod times;

pub use background::{Ready, Role, role_in_background, start_daemon};
pub use logfile::{LogFile, Rotation};
pub use socket::listen;
pub use times::{TimeEntry, log_times};
