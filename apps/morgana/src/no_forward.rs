//! In place of the way to the machine's logger, in images without the feature `logger`.

use alloc::vec::Vec;
use core::str::FromStr;

use log::{LevelFilter, Record};
use morgana_exec::{Handle, Timers};
use morgana_hal::{Platform, WallTime};
use morgana_xenstore_client::Client;

use crate::{BadArgument, CommandLine};

/// There is none.
#[derive(Clone)]
pub(crate) enum Forward {}

impl Forward {
    /// None, whatever is wanted.
    ///
    /// # Errors
    ///
    /// That one is wanted.
    pub(crate) fn new(
        command_line: &CommandLine,
        _: LevelFilter,
    ) -> (Option<Self>, Vec<BadArgument>) {
        let wanted = command_line.parse("logger", Off);
        (None, wanted.err().into_iter().collect())
    }

    pub(crate) const fn level(&self) -> LevelFilter {
        match *self {}
    }

    pub(crate) fn put(&self, _: &Record<'_>, _: WallTime) {
        match *self {}
    }

    pub(crate) fn connect<P: Platform>(&self, _: &P, _: &Client, _: &Handle) {
        match *self {}
    }

    pub(crate) async fn end(&self, _: &Timers) {
        match *self {}
    }
}

/// All that can be said of it.
struct Off;

impl FromStr for Off {
    type Err = NotInThisImage;

    fn from_str(text: &str) -> Result<Self, NotInThisImage> {
        match text {
            "off" => Ok(Self),
            _ => Err(NotInThisImage),
        }
    }
}

struct NotInThisImage;
