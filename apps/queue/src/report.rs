//! The figures: as JSON, and for whoever scrapes them.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use morgana_block::BlockDevice;
use morgana_http::Status;
use morgana_queue::JobQueue;
use morgana_web::{Exposition, Kind};

use crate::Service;
use crate::answer::{Answered, NO_STORE, Refusal, json, told};

/// A figure: its name, whether it only grows, what it is, and its value.
type Figure = (&'static str, Kind, &'static str, u64);

impl<D: BlockDevice + 'static, C: Fn() -> u64 + Clone + 'static> Service<D, C> {
    pub(crate) async fn stats(&self) -> Answered {
        let mut text = String::new();
        for (index, (name, _, _, value)) in self.figures().await?.into_iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            // To write into a string cannot fail.
            let _ = write!(text, "{before}\"{name}\":{value}");
        }
        text.push('}');
        Ok(json(Status::OK, text))
    }

    pub(crate) async fn metrics(&self) -> Answered {
        let figures = self.figures().await?;
        let answer = Exposition::answer("queue", |text| {
            figures
                .iter()
                .try_for_each(|&(name, kind, help, value)| match kind {
                    Kind::Gauge => text.gauge(name, help, value),
                    Kind::Counter => text.counter(&format!("{name}_total"), help, value),
                })
        });
        Ok(answer.fields(NO_STORE))
    }

    /// Well as long as the disk is.
    pub(crate) fn health(&self) -> Answered {
        self.store.queue()?;
        Ok(told(Status::OK, "text/plain", "ok\n".into()))
    }

    async fn figures(&self) -> Result<[Figure; 20], Refusal> {
        use Kind::{Counter, Gauge};
        let queue = self.store.queue()?;
        let now = queue.statistics().await?;
        let (totals, limits) = (self.store.totals(), self.settings.queue);
        let uptime = self.timers.now().since(self.started).as_secs();
        let number = |value: usize| value as u64;
        Ok([
            (
                "ready",
                Gauge,
                "Jobs that can be leased.",
                number(now.ready),
            ),
            (
                "delayed",
                Gauge,
                "Jobs that wait for their time.",
                number(now.delayed),
            ),
            (
                "leased",
                Gauge,
                "Jobs that are with workers.",
                number(now.leased),
            ),
            ("dead", Gauge, "Dead letters.", number(now.dead)),
            (
                "jobs_limit",
                Gauge,
                "Jobs that there may be.",
                number(limits.jobs),
            ),
            (
                "dead_limit",
                Gauge,
                "Dead letters that there may be.",
                number(limits.dead),
            ),
            ("bytes", Gauge, "Bytes of all payloads.", number(now.bytes)),
            (
                "bytes_limit",
                Gauge,
                "Bytes that payloads may have.",
                number(limits.bytes),
            ),
            (
                "payload_limit",
                Gauge,
                "Bytes that a payload may have.",
                number(limits.payload),
            ),
            (
                "waiting",
                Gauge,
                "Requests that wait for a job.",
                number(self.waiting.get()),
            ),
            (
                "waiting_limit",
                Gauge,
                "Requests that may wait for a job.",
                number(self.settings.waiting),
            ),
            ("up_seconds", Gauge, "Time since the start.", uptime),
            (
                "enqueued",
                Counter,
                "Jobs that were put in.",
                totals.enqueued,
            ),
            (
                "duplicates",
                Counter,
                "Jobs whose key was taken.",
                totals.duplicates,
            ),
            ("leases", Counter, "Leases that were given.", totals.leased),
            (
                "acknowledged",
                Counter,
                "Jobs that were done.",
                totals.acknowledged,
            ),
            ("failed", Counter, "Attempts that failed.", totals.failed),
            (
                "expired",
                Counter,
                "Attempts whose lease ended.",
                totals.expired,
            ),
            (
                "died",
                Counter,
                "Jobs that became dead letters.",
                totals.died,
            ),
            (
                "dropped",
                Counter,
                "Dead letters that were dropped.",
                totals.dropped,
            ),
        ])
    }
}
