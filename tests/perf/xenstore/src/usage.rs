//! What the daemon has used up.

use std::fs;

use anyhow::{Context, Result};
use morgana_xenstore_peers::Daemon;

/// Its CPU time, in seconds (Documentation/scheduler/sched-stats.rst of Linux).
pub(crate) fn cpu(daemon: &Daemon) -> Result<f64> {
    let mut sum = 0.0;
    for thread in fs::read_dir(format!("/proc/{}/task", daemon.process()))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let first = text.split(' ').next().context("no schedstat")?;
        sum += first.parse::<f64>()?;
    }
    Ok(sum / 1e9)
}

/// Its memory, in bytes.
pub(crate) fn memory(daemon: &Daemon) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{}/status", daemon.process()))?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("no VmRSS")?.parse::<f64>()? * 1024.0)
}
