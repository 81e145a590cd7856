//! The domain that an application runs in.

use alloc::rc::Rc;
use core::fmt;
use core::time::Duration;

use morgana_exec::{Handle, Timers};
use morgana_hal::{Clock, Instant, Platform};
use morgana_xenstore_client::Client;

use crate::CommandLine;

/// All that an application has of the world. Cheap to clone; every clone is the same domain.
#[derive(Clone)]
pub struct Domain<P: Platform>(Rc<Inner<P>>);

struct Inner<P> {
    platform: P,
    handle: Handle,
    command_line: CommandLine,
    xenstore: Option<Client>,
    started: Instant,
}

impl<P: Platform> Domain<P> {
    pub(crate) fn new(
        platform: P,
        handle: Handle,
        command_line: CommandLine,
        xenstore: Option<Client>,
    ) -> Self {
        let started = platform.clock().now();
        Self(Rc::new(Inner {
            platform,
            handle,
            command_line,
            xenstore,
            started,
        }))
    }

    /// Event channels, grants, clocks and the figures of what is in use.
    pub fn platform(&self) -> &P {
        &self.0.platform
    }

    /// Spawns tasks.
    pub fn tasks(&self) -> &Handle {
        &self.0.handle
    }

    /// Sleeping and time-outs.
    pub fn timers(&self) -> Timers {
        self.0.handle.timers()
    }

    /// What the toolstack passed, for instance by `extra=` in an xl configuration.
    pub fn command_line(&self) -> &CommandLine {
        &self.0.command_line
    }

    /// The way to xenstored.
    ///
    /// # Errors
    ///
    /// [`NoXenstore`] where the domain has none, as the machine's first domain at its start.
    pub fn xenstore(&self) -> Result<&Client, NoXenstore> {
        self.0.xenstore.as_ref().ok_or(NoXenstore)
    }

    /// For how long the application has been running.
    pub fn uptime(&self) -> Duration {
        self.0.platform.clock().now() - self.0.started
    }
}

impl<P: Platform> fmt::Debug for Domain<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domain")
            .field("command_line", &self.0.command_line)
            .field("tasks", &self.0.handle)
            .finish_non_exhaustive()
    }
}

/// This domain was not given a connection to xenstored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoXenstore;

impl fmt::Display for NoXenstore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this domain has no connection to xenstored")
    }
}

impl core::error::Error for NoXenstore {}
