//! Log lines go where errors go.

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Writes lines to standard error, each with the program's name.
struct Lines(&'static str);

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{}: {}", self.0, record.args());
        }
    }

    fn flush(&self) {}
}

/// From here on, whatever is logged is written, unless somebody else writes it already.
pub(crate) fn start(name: &'static str) {
    // It lives as long as the program, and so does what is leaked here.
    if log::set_logger(Box::leak(Box::new(Lines(name)))).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
