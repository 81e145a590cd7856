//! How fast a TCP stream is at native speed.
//!
//! ```text
//! perf-net emulated BYTES        between two emulated domains, each a thread: one over netfront, one over netback
//! perf-net sink ADDRESS          receives one connection's bytes (Linux's sockets)
//! perf-net source ADDRESS BYTES  sends to it
//! ```
//!
//! The first and the last print how many megabits a second it took until the receiver had all.

#![forbid(unsafe_code)]

mod device;
mod emulated;
mod sockets;

use std::time::Duration;

use anyhow::{Result, bail};

/// What is read or written at once: as iperf3 does it.
const BLOCK: usize = 131_072;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["emulated", bytes] => tell(bytes.parse()?, emulated::stream(bytes.parse()?)?),
        ["sink", address] => sockets::sink(address)?,
        ["source", address, bytes] => {
            tell(bytes.parse()?, sockets::source(address, bytes.parse()?)?)
        }
        _ => bail!("usage: perf-net emulated BYTES | sink ADDRESS | source ADDRESS BYTES"),
    }
    Ok(())
}

fn tell(bytes: u64, took: Duration) {
    println!("{:.1}", bytes as f64 * 8.0 / took.as_secs_f64() / 1e6);
}
