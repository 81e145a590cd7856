#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod entries;
mod exchange;
mod measure;

use anyhow::{Context, Result, bail, ensure};

use entries::{Block, Net};
use measure::{Amount, Threads};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [threads, entry, batch, operations] = &arguments[..] else {
        bail!("perf-ring THREADS ENTRY BATCH OPERATIONS")
    };
    let threads = match threads.as_str() {
        "one" => Threads::One,
        "two" => Threads::Two,
        _ => bail!("THREADS is one or two"),
    };
    let amount = Amount {
        batch: batch.parse().context("BATCH is no number")?,
        operations: operations.parse().context("OPERATIONS is no number")?,
    };
    ensure!(amount.rounds() > 0, "too few operations");
    let rate = match entry.as_str() {
        "net" => measure::run::<Net>(threads, amount)?,
        "block" => measure::run::<Block>(threads, amount)?,
        _ => bail!("ENTRY is net or block"),
    };
    println!("{rate:.0}");
    Ok(())
}
