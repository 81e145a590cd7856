//! The one logger that `log`'s macros lead to, wherever the program runs.

use log::{LevelFilter, Metadata, Record};
use morgana_console::Logger;
use morgana_hal::{Clock, Instant, Platform};

use crate::forward::Forward;

#[cfg(target_os = "none")]
pub(crate) use xen::{LINE_END, let_go, set_logger};

#[cfg(not(target_os = "none"))]
pub(crate) use linux::{LINE_END, let_go, set_logger};

/// All that records go to, with the clock that it needs.
struct Timed<P> {
    console: Option<Logger>,
    forward: Option<Forward>,
    platform: P,
    started: Instant,
}

impl<P: Platform> Timed<P> {
    /// Also lets `log` know which records are wanted at all.
    fn new(console: Option<Logger>, forward: Option<Forward>, platform: P) -> Self {
        let started = platform.clock().now();
        let level = |level: Option<LevelFilter>| level.unwrap_or(LevelFilter::Off);
        let shown = level(console.as_ref().map(Logger::level));
        let sent = level(forward.as_ref().map(Forward::level));
        log::set_max_level(shown.max(sent));
        Self {
            console,
            forward,
            platform,
            started,
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.console
            .as_ref()
            .is_some_and(|console| console.enabled(metadata))
            || self.sends(metadata)
    }

    fn sends(&self, metadata: &Metadata<'_>) -> bool {
        self.forward
            .as_ref()
            .is_some_and(|forward| metadata.level() <= forward.level())
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(console) = &self.console {
            let uptime = self.platform.clock().now() - self.started;
            let nanos = u64::try_from(uptime.as_nanos()).unwrap_or(u64::MAX);
            console.log(record, Instant::from_nanos(nanos));
        }
        if let Some(forward) = &self.forward
            && self.sends(record.metadata())
        {
            forward.put(record, self.platform.clock().wall());
        }
    }
}

#[cfg(target_os = "none")]
mod xen {
    use super::*;
    use morgana_console::LineEnd;
    use morgana_pv::{LogSink, set_log_sink};

    /// Whoever shows Xen's console moves the cursor as told.
    pub(crate) const LINE_END: LineEnd = LineEnd::CrLf;

    pub(crate) fn set_logger<P: Platform>(
        console: Option<Logger>,
        forward: Option<Forward>,
        platform: P,
    ) {
        set_log_sink(Timed::new(console, forward, platform));
    }

    /// The logger stays: if the domain ends badly, it is to say so.
    pub(crate) const fn let_go() {}

    impl<P: Platform> LogSink for Timed<P> {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            Timed::enabled(self, metadata)
        }

        fn log(&self, record: &Record<'_>) {
            Timed::log(self, record);
        }

        fn take_unsent(&self, into: &mut [u8]) -> usize {
            let console = self.console.as_ref();
            console.map_or(0, |console| console.output().take_unsent(into))
        }
    }
}

#[cfg(not(target_os = "none"))]
mod linux {
    extern crate std;

    use super::*;
    use core::cell::RefCell;
    use log::Log;
    use morgana_console::LineEnd;
    use std::boxed::Box;
    use std::thread_local;

    pub(crate) const LINE_END: LineEnd = LineEnd::Lf;

    type Sink = Box<dyn Fn(&Record<'_>)>;

    thread_local! {
        /// Each emulated domain is a thread, and has a console of its own.
        static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
    }

    pub(crate) fn set_logger<P: Platform>(
        console: Option<Logger>,
        forward: Option<Forward>,
        platform: P,
    ) {
        let timed = Timed::new(console, forward, platform);
        SINK.set(Some(Box::new(move |record: &Record<'_>| {
            if timed.enabled(record.metadata()) {
                timed.log(record);
            }
        })));
        // Set already by another domain's thread, or by the program's own main function: either way there is a logger.
        let _ = log::set_logger(&PassOn);
    }

    /// The domain ends: nothing of it is to live on in its thread.
    pub(crate) fn let_go() {
        SINK.set(None);
    }

    struct PassOn;

    impl Log for PassOn {
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
