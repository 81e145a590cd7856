//! A guest's log, and what stands between two pieces of it.

use alloc::vec::Vec;
use core::future::poll_fn;

use morgana_exec::Seldom;
use morgana_hal::{DomId, WallTime};

use crate::{Lines, Log, Options};

/// What a guest has written goes through here to its log, if it has one.
pub(crate) struct Record<L> {
    log: Option<L>,
    lines: Lines,
    /// What the log is to get. It is kept here, so that nothing is lost if whoever flushes is dropped meanwhile.
    text: Vec<u8>,
    /// How much of it the log has.
    done: usize,
    failures: Seldom,
    overflows: Seldom,
}

impl<L: Log> Record<L> {
    pub(crate) fn new(log: Option<L>, options: Options) -> Self {
        Self {
            log,
            lines: Lines::new(options.stamps, options.escapes),
            text: Vec::new(),
            done: 0,
            failures: Seldom::default(),
            overflows: Seldom::default(),
        }
    }

    /// Takes bytes over, which the guest wrote at `now`.
    pub(crate) fn add(&mut self, bytes: &[u8], now: WallTime) {
        if self.log.is_some() {
            self.lines.add(bytes, now, &mut self.text);
        }
    }

    /// So many bytes were dropped that nobody has read at the terminal.
    pub(crate) fn dropped(&mut self, domain: DomId, bytes: usize) {
        if bytes > 0
            && let Some(times) = self.overflows.again()
        {
            log::info!(
                "nobody reads the terminal of {domain}: {bytes} bytes of it are dropped (time {times})"
            );
        }
    }

    /// Writes all of it to the log.
    pub(crate) async fn flush(&mut self, domain: DomId) {
        while self.done < self.text.len()
            && let Some(log) = &mut self.log
        {
            let rest = &self.text[self.done..];
            match poll_fn(|cx| log.poll_add(cx, rest)).await {
                Ok(len) => self.done += len.max(1),
                Err(error) => {
                    if let Some(times) = self.failures.again() {
                        log::error!(
                            "the log of {domain} cannot be written: {error} (time {times})"
                        );
                    }
                    break;
                }
            }
        }
        self.text.clear();
        self.done = 0;
    }
}
