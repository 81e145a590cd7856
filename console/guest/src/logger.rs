//! Lines of log records.

use core::cell::Cell;
use core::fmt;

use log::{LevelFilter, Metadata, Record};
use morgana_hal::Instant;

use crate::Output;
use crate::fields::Fields;

/// Prints log records: `[seconds since boot] LEVEL target: message key=value`. Cheap to clone; clones share the output, not the level.
#[derive(Clone, Debug)]
pub struct Logger {
    output: Output,
    level: Cell<LevelFilter>,
}

impl Logger {
    /// A logger for records up to `level`.
    pub fn new(output: Output, level: LevelFilter) -> Self {
        Self {
            output,
            level: Cell::new(level),
        }
    }

    /// The records that are printed: up to this level.
    pub fn level(&self) -> LevelFilter {
        self.level.get()
    }

    /// Sets the level.
    pub fn set_level(&self, level: LevelFilter) {
        self.level.set(level);
    }

    /// Where it prints to.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// Whether such a record would be printed.
    pub fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level.get()
    }

    /// Prints a record, if its level is enabled. `now` counts from boot.
    pub fn log(&self, record: &Record<'_>, now: Instant) {
        if self.enabled(record.metadata()) {
            let (level, target, args) = (record.level(), record.target(), record.args());
            let (time, fields) = (SinceBoot(now), Fields::of(record));
            self.output
                .line(format_args!("[{time}] {level:<5} {target}: {args}{fields}"));
        }
    }
}

/// Seconds with six decimals, five digits before the point.
struct SinceBoot(Instant);

impl fmt::Display for SinceBoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_nanos() / 1_000;
        write!(f, "{:>5}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}
