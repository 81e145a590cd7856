//! What is told.

use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

use crate::counts::{Counts, Failure};
use crate::plan::Format;

/// An object of the report in JSON. Times are in milliseconds.
#[derive(Serialize)]
struct Object {
    kind: &'static str,
    /// When it ended, from the beginning of the run.
    at_s: f64,
    over_s: f64,
    due: u64,
    ok: u64,
    ok_per_s: f64,
    errors: serde_json::Map<String, serde_json::Value>,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Object {
    fn new(kind: &'static str, counts: &Counts, at: Duration, over: Duration) -> Self {
        let ms = |share| counts.latency.per_mille(share).as_secs_f64() * 1e3;
        let errors = Failure::ALL.map(|kind| (kind.name().into(), counts.failures(kind).into()));
        Self {
            kind,
            at_s: at.as_secs_f64(),
            over_s: over.as_secs_f64(),
            due: counts.due,
            ok: counts.latency.count(),
            ok_per_s: per_second(counts, over),
            errors: errors.into_iter().collect(),
            p50_ms: ms(500),
            p90_ms: ms(900),
            p99_ms: ms(990),
            max_ms: counts.latency.max().as_secs_f64() * 1e3,
        }
    }
}

/// Tells of a second.
pub(crate) fn second(format: Format, counts: &Counts, at: Duration, over: Duration) {
    match format {
        Format::Json => object(&Object::new("second", counts, at, over)),
        Format::Text => eprintln!("{:6.1} s  {}", at.as_secs_f64(), line(counts, over)),
    }
}

/// Tells of the whole run.
pub(crate) fn total(format: Format, counts: &Counts, over: Duration) {
    match format {
        Format::Json => object(&Object::new("total", counts, over, over)),
        // Nobody may be there to read it.
        Format::Text => drop(writeln!(io::stdout(), "total     {}", line(counts, over))),
    }
}

fn object(object: &Object) {
    // An object of numbers and names can be written as JSON; nobody may be there to read it.
    let text = serde_json::to_string(object).unwrap_or_default();
    drop(writeln!(io::stdout(), "{text}"));
}

fn line(counts: &Counts, over: Duration) -> String {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let share = |share| ms(counts.latency.per_mille(share));
    let mut line = format!(
        "{:7} due {:7} ok {:9.1}/s  p50 {:8.2} ms  p90 {:8.2}  p99 {:8.2}  max {:8.2}",
        counts.due,
        counts.latency.count(),
        per_second(counts, over),
        share(500),
        share(900),
        share(990),
        ms(counts.latency.max()),
    );
    for kind in Failure::ALL {
        let count = counts.failures(kind);
        if count > 0 {
            line += &format!("  {} {count}", kind.name());
        }
    }
    line
}

fn per_second(counts: &Counts, over: Duration) -> f64 {
    counts.latency.count() as f64 / over.as_secs_f64().max(1e-9)
}
