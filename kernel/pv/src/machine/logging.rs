//! The image's one logger: what `log`'s macros lead to, and where a domain that ends badly finds its last lines.

extern crate alloc;

use alloc::boxed::Box;
use core::cell::OnceCell;

use log::{Log, Metadata, Record};

use super::console;
use super::one_cpu::OneCpu;

/// Where log records go.
pub trait LogSink {
    /// Whether such a record would be kept.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool;
    /// Keeps a record.
    fn log(&self, record: &Record<'_>);
    /// Takes bytes that have not reached the console yet; 0 if there are none. Called when the domain ends badly, perhaps in the middle
    /// of `log`.
    fn take_unsent(&self, into: &mut [u8]) -> usize;
}

static SINK: OneCpu<OnceCell<Box<dyn LogSink>>> = OneCpu::new(OnceCell::new());

/// Sends all log records to `sink`: once, for good. A second sink is dropped.
pub fn set_log_sink(sink: impl LogSink + 'static) {
    if SINK.set(Box::new(sink)).is_ok() {
        // Only this function sets a logger, so there is none yet.
        let _ = log::set_logger(&Forward);
    }
}

/// Prints what the sink has not sent yet. The console's ring must have been taken back.
pub(super) fn print_unsent() {
    let Some(sink) = SINK.get() else {
        return;
    };
    let mut chunk = [0; 256];
    loop {
        match sink.take_unsent(&mut chunk) {
            0 => return,
            len => console::write(&chunk[..len]),
        }
    }
}

struct Forward;

impl Log for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        SINK.get().is_some_and(|sink| sink.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(sink) = SINK.get() {
            sink.log(record);
        }
    }

    fn flush(&self) {}
}
