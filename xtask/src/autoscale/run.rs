//! A run under load: what the load generator and the controller tell of it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

/// What a whole run, or a second of it, comes to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Told {
    kind: String,
    /// Seconds since the load began.
    pub(crate) at_s: f64,
    /// Requests that were due.
    pub(crate) due: u64,
    /// Those that failed, by kind.
    errors: BTreeMap<String, u64>,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Told {
    /// Requests that failed.
    pub(crate) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// A sample of the controller.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sample {
    /// Milliseconds since the controller began.
    pub(crate) at: u64,
    pub(crate) fleets: Fleets,
    queue: Option<Jobs>,
    pub(crate) done: u64,
    pub(crate) repeated: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Fleets {
    pub(crate) web: Option<State>,
    pub(crate) worker: Option<State>,
}

/// How a fleet is.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct State {
    pub(crate) wanted: u32,
    pub(crate) serving: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct Jobs {
    ready: u64,
}

/// What the controller tells.
#[derive(Debug, Deserialize)]
pub(crate) struct Series {
    pub(crate) next: u64,
    pub(crate) samples: Vec<Sample>,
}

/// A run.
#[derive(Debug)]
pub(crate) struct Run {
    /// The whole.
    pub(crate) total: Told,
    /// Its seconds.
    pub(crate) seconds: Vec<Told>,
    /// From the load's beginning on.
    pub(crate) samples: Vec<Sample>,
}

/// Some seconds of a run.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) second: u32,
    pub(crate) rate: f64,
    pub(crate) failed: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) wanted: u32,
    pub(crate) serving: u32,
    pub(crate) jobs: u64,
    pub(crate) workers: u32,
}

impl Run {
    /// From the load generator's lines and the samples.
    pub(super) fn new(lines: &str, samples: Vec<Sample>) -> Result<Run> {
        let mut told = Vec::new();
        for line in lines.lines() {
            let one = serde_json::from_str::<Told>(line);
            told.push(one.with_context(|| format!("the load generator says {line}"))?);
        }
        let total = told.pop().filter(|last| last.kind == "total");
        let total = total.context("the load generator has not come to its end")?;
        Ok(Run {
            total,
            seconds: told,
            samples,
        })
    }

    /// How long it took.
    pub(crate) fn seconds(&self) -> f64 {
        self.total.at_s
    }

    /// Web machines that served, each for so many seconds.
    pub(crate) fn machine_seconds(&self) -> f64 {
        let pairs = self.samples.windows(2);
        pairs
            .map(|pair| {
                let time = (pair[1].at - pair[0].at) as f64 / 1000.0;
                let serving = pair[0].fleets.web.as_ref().map_or(0, |web| web.serving);
                time * f64::from(serving)
            })
            .sum()
    }

    /// Rows of so many seconds: sums of requests, the worst percentiles, and what there was in the end.
    pub(crate) fn rows(&self, seconds: u32) -> Vec<Row> {
        let start = self.samples.first().map_or(0, |sample| sample.at);
        let mut rows = Vec::new();
        let count = (self.seconds() / f64::from(seconds)).ceil() as u32;
        for number in 1..=count {
            let (from, to) = (
                f64::from((number - 1) * seconds),
                f64::from(number * seconds),
            );
            let within: Vec<&Told> = self
                .seconds
                .iter()
                .filter(|one| from < one.at_s && one.at_s <= to)
                .collect();
            let most =
                |pick: fn(&Told) -> f64| within.iter().map(|one| pick(one)).fold(0.0, f64::max);
            let until = start + u64::from(number * seconds) * 1000;
            let sample = self.samples.iter().rfind(|sample| sample.at <= until);
            let fleets = sample
                .map(|sample| sample.fleets.clone())
                .unwrap_or_default();
            let web = fleets.web.unwrap_or_default();
            rows.push(Row {
                second: number * seconds,
                rate: within.iter().map(|one| one.due as f64).sum::<f64>() / f64::from(seconds),
                failed: within.iter().map(|one| one.failed()).sum(),
                p50_ms: most(|one| one.p50_ms),
                p99_ms: most(|one| one.p99_ms),
                wanted: web.wanted,
                serving: web.serving,
                jobs: sample
                    .and_then(|sample| sample.queue.as_ref())
                    .map_or(0, |queue| queue.ready),
                workers: fleets.worker.unwrap_or_default().serving,
            });
        }
        rows
    }
}
