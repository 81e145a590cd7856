//! Streams through the consoles of many guests at once, compared byte for byte at both ends.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Lab;
use super::xenconsoled::{talker, terminal};
use crate::cli::XenconsoledChoice;

/// Guests of the daemon in dom0.
const GUESTS: usize = 20;
/// Guests of the stub-domain, if `MORGANA_GUESTS` says nothing else. (50 take many minutes.)
const CROWD: usize = 5;
/// The bytes of each of the streams, each way, if `MORGANA_CONSOLE_BYTES` says nothing else. (16 MiB for 20 guests, 640 MiB in all, take many minutes.)
const BYTES: u64 = 64 << 10;
/// More than this may be rotated away, in bytes.
const ROTATED: u64 = 8 << 20;
/// How long the streams may take.
const LONG: Duration = Duration::from_secs(3600);

/// The daemon in dom0. Its logs have had all of it too.
pub(super) fn lossless(lab: &Lab<'_>) -> Result<()> {
    lab.change_xenconsoled(XenconsoledChoice::Ours)?;
    let bytes = run(lab, GUESTS)?;
    // With the longest streams, rotation has taken some of it away again.
    if bytes > ROTATED {
        return Ok(());
    }
    let logs = lab.sh("cd /var/log/xen/console && cat $(ls | grep '^guest-guest-console.*[.]log' | grep -v times) | wc -c")?;
    let logged: u64 = logs.trim().parse()?;
    ensure!(
        logged >= bytes * GUESTS as u64,
        "{logged} bytes are in the logs"
    );
    Ok(())
}

/// The stub-domain, which has 8 MiB for all of them.
pub(super) fn crowd(lab: &Lab<'_>) -> Result<()> {
    lab.change_xenconsoled(XenconsoledChoice::Stubdom)?;
    run(lab, or("MORGANA_GUESTS", CROWD)?)?;
    let memory = lab.sh("xl list | awk '$1 == \"xenconsoled\" { print $3 }'")?;
    ensure!(
        memory == "8\n",
        "the stub-domain is gone, or has other memory: {memory:?}"
    );
    Ok(())
}

/// Makes the guests, and moves bytes over the terminals of all of them at once, both ways. Returns how many over each.
fn run(lab: &Lab<'_>, guests: usize) -> Result<u64> {
    let program = lab.workshop().program("perf-console")?;
    lab.put(&program, "/programs/perf-console")?;
    let mut terminals = Vec::new();
    for number in 0..guests {
        let guest = talker(lab, number)?;
        guest.create(lab)?;
        terminals.push(format!("{number}:{}", terminal(lab, &guest)?));
    }
    let bytes = or("MORGANA_CONSOLE_BYTES", BYTES)?;
    let run = format!(
        "/programs/perf-console both {bytes} {}",
        terminals.join(" ")
    );
    let seconds = lab.sh_within(&run, LONG)?;
    ensure!(seconds.trim().parse::<f64>().is_ok(), "{seconds}");
    Ok(bytes)
}

/// The number that a variable of the environment has, or another one.
fn or<N: FromStr>(variable: &str, otherwise: N) -> Result<N> {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .ok()
            .with_context(|| format!("{variable}={text} is no number")),
        Err(_) => Ok(otherwise),
    }
}
