//! Parts of the service that are killed at random while it is used.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::addresses::{BALANCER, LEDGER_PORT, QUEUE};
use super::service::Service;

const SCRIPT: &str = include_str!("chaos.py");
/// What is killed if nothing else is said.
const KINDS: &str = "balancer,web,worker,queue,autoscaler,toolstack";
/// How long it may take besides the kills themselves.
const PATIENCE: Duration = Duration::from_secs(420);

/// What came of it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Chaos {
    /// What was killed.
    pub(crate) kills: Vec<Kill>,
    /// Requests for a page, ten a second, and those that were not answered well.
    pub(crate) probes: u64,
    pub(crate) probes_failed: u64,
    /// Orders that were acknowledged, and the numbers of their jobs.
    pub(crate) acknowledged: u64,
    pub(crate) distinct: u64,
    /// Jobs that were acknowledged and not done.
    pub(crate) lost: Vec<u64>,
    /// Reports of workers, and the jobs that they were about.
    pub(crate) reports: u64,
    pub(crate) jobs_done: u64,
    /// Jobs that were done twice with different results.
    pub(crate) differing: Vec<u64>,
}

/// A kill.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Kill {
    /// Which kind of part.
    pub(crate) kind: String,
    /// Seconds from the first request for a page that failed to the first one that was answered well after the last one that failed; 0 if none failed.
    pub(crate) outage: f64,
    /// The same of orders, which need the queue.
    pub(crate) orders: f64,
    /// Seconds from the command that killed to its end, when nothing was left.
    pub(crate) took: f64,
}

impl Chaos {
    /// Kills for so many seconds, as the seed determines, and waits until all jobs are done. `MORGANA_KINDS` says what is killed, with commas between, if not all.
    pub(crate) fn let_loose(service: &Service<'_>, seed: u64, seconds: u64) -> Result<Chaos> {
        let testbed = service.testbed();
        testbed.put_bytes(SCRIPT.as_bytes(), "/chaos.py", 0o644)?;
        let kinds = std::env::var("MORGANA_KINDS").unwrap_or_else(|_| KINDS.to_owned());
        let script =
            format!("python3 /chaos.py {seed} {seconds} {LEDGER_PORT} {BALANCER} {QUEUE} {kinds}");
        let told = testbed.sh_within(&script, PATIENCE + Duration::from_secs(seconds))?;
        let line = told.lines().last().context("chaos.py says nothing")?;
        serde_json::from_str(line).with_context(|| format!("chaos.py says {line}"))
    }

    /// An error if an acknowledged job was lost, or done twice with no number to tell.
    pub(crate) fn check_jobs(&self) -> Result<()> {
        ensure!(self.acknowledged > 0, "no order was acknowledged: {self:?}");
        ensure!(
            self.acknowledged == self.distinct,
            "two orders became one job: {self:?}"
        );
        ensure!(self.lost.is_empty(), "jobs are lost: {self:?}");
        ensure!(self.differing.is_empty(), "jobs differ: {self:?}");
        Ok(())
    }

    /// The outages by kind.
    pub(crate) fn outages(&self, of: fn(&Kill) -> f64) -> BTreeMap<&str, Vec<f64>> {
        let mut outages: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for kill in &self.kills {
            outages.entry(&kill.kind).or_default().push(of(kill));
        }
        outages
    }
}
