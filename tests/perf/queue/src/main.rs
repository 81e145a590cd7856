//! Puts jobs into a queue and takes them out of it; prints jobs a second of either. The README has the arguments.

#![forbid(unsafe_code)]
#![allow(async_fn_in_trait)]

mod jetstream;
mod ours;

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Bytes of a job.
const PAYLOAD: [u8; 100] = [b'x'; 100];

/// What is done.
#[derive(Clone, Copy)]
struct Work {
    jobs: usize,
    together: usize,
}

/// Jobs a second since then.
fn rate(jobs: usize, since: Instant) -> f64 {
    jobs as f64 / since.elapsed().as_secs_f64()
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, place, jobs, together] = &words[..] else {
        bail!("usage: perf-queue disk|http|jetstream WHERE JOBS TOGETHER");
    };
    let work = Work {
        jobs: jobs.parse().context("JOBS is a number")?,
        together: together.parse().context("TOGETHER is a number")?,
    };
    let address = || place.parse::<SocketAddr>().context("WHERE is no address");
    let (enqueue, finish) = match what.as_str() {
        "disk" => ours::disk(place.clone(), work)?,
        "http" => ours::http(address()?, work)?,
        "jetstream" => jetstream::run(address()?, work)?,
        other => bail!("{other} is nothing to be measured"),
    };
    println!("{enqueue:.1} {finish:.1}");
    Ok(())
}
