//! The one logger that `log`'s macros lead to, wherever the program runs.

use log::Record;
use morgana_console::Logger;
use morgana_hal::{Clock, Instant, Platform};

#[cfg(target_os = "none")]
pub(crate) use xen::{LINE_END, set_logger};

#[cfg(not(target_os = "none"))]
pub(crate) use linux::{LINE_END, set_logger};

/// A logger with the clock that it needs.
struct Timed<P> {
    logger: Logger,
    platform: P,
    started: Instant,
}

impl<P: Platform> Timed<P> {
    fn new(logger: Logger, platform: P) -> Self {
        let started = platform.clock().now();
        Self {
            logger,
            platform,
            started,
        }
    }

    fn log(&self, record: &Record<'_>) {
        let uptime = self.platform.clock().now() - self.started;
        let nanos = u64::try_from(uptime.as_nanos()).unwrap_or(u64::MAX);
        self.logger.log(record, Instant::from_nanos(nanos));
    }
}

#[cfg(target_os = "none")]
mod xen {
    use super::*;
    use log::Metadata;
    use morgana_console::LineEnd;
    use morgana_pv::{LogSink, set_log_sink};

    /// Whoever shows Xen's console moves the cursor as told.
    pub(crate) const LINE_END: LineEnd = LineEnd::CrLf;

    pub(crate) fn set_logger<P: Platform>(logger: Logger, platform: P) {
        set_log_sink(Timed::new(logger, platform));
    }

    impl<P: Platform> LogSink for Timed<P> {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            self.logger.enabled(metadata)
        }

        fn log(&self, record: &Record<'_>) {
            Timed::log(self, record);
        }

        fn take_unsent(&self, into: &mut [u8]) -> usize {
            self.logger.output().take_unsent(into)
        }
    }
}

#[cfg(not(target_os = "none"))]
mod linux {
    extern crate std;

    use super::*;
    use core::cell::RefCell;
    use log::{Log, Metadata};
    use morgana_console::LineEnd;
    use std::boxed::Box;
    use std::thread_local;

    pub(crate) const LINE_END: LineEnd = LineEnd::Lf;

    type Sink = Box<dyn Fn(&Record<'_>)>;

    thread_local! {
        /// Each emulated domain is a thread, and has a console of its own.
        static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
    }

    pub(crate) fn set_logger<P: Platform>(logger: Logger, platform: P) {
        let timed = Timed::new(logger, platform);
        SINK.set(Some(Box::new(move |record| timed.log(record))));
        // Set already by another domain's thread, or by the program's own main function: either way there is a logger.
        let _ = log::set_logger(&Forward);
    }

    struct Forward;

    impl Log for Forward {
        fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
            SINK.with_borrow(Option::is_some)
        }

        fn log(&self, record: &Record<'_>) {
            SINK.with_borrow(|sink| {
                if let Some(sink) = sink {
                    sink(record);
                }
            });
        }

        fn flush(&self) {}
    }
}
