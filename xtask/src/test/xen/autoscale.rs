//! The self-scaling service: machines come with the load, and go with it, and no request fails.

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::autoscale::{Chaos, Fleet, Ledger, Load, Plan, Service, State};

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "autoscale/load",
        run: load,
    },
    XenTest {
        name: "autoscale/chaos",
        run: chaos,
    },
];

/// How long parts are killed.
const SECONDS: u64 = 60;

fn load(lab: &Lab<'_>) -> Result<()> {
    let plan = Plan {
        web: Fleet { least: 1, most: 5 },
        rate: 6,
        calm: 4,
        ..Plan::default()
    };
    let service = Service::start(lab.workshop(), lab, &plan)?;
    service.wait_for(plan.web.least)?;
    let steps = ["--step", "3:6s", "--step", "27:14s", "--step", "3:14s"];
    let load = Load::of(lab.workshop(), &steps.map(str::to_owned))?;
    let run = load.measure(&service)?;
    ensure!(run.total.due > 400, "{:?}", run.total);
    ensure!(run.total.failed() == 0, "requests failed: {:?}", run.total);
    let states = run.samples.iter();
    let states: Vec<&State> = states.filter_map(|one| one.fleets.web.as_ref()).collect();
    let most = states.iter().map(|state| state.serving).max();
    ensure!(most == Some(plan.web.most), "the machines were {states:?}");
    let last = states.last().context("no states")?;
    ensure!(
        last.wanted < plan.web.most,
        "no machine was to go: {last:?}"
    );
    let mut workers = run.samples.iter();
    let works = |state: &State| state.serving > 0;
    ensure!(
        workers.any(|one| one.fleets.worker.as_ref().is_some_and(works)),
        "there was never a worker"
    );
    let end = run.samples.last().context("no samples")?;
    ensure!(end.done > 0 && end.repeated == 0, "jobs: {end:?}");
    Ok(())
}

/// Every part is killed once, in an order that the seed determines, while orders come: no acknowledged one is lost. `cargo xtask bench chaos` does so for longer, and measures.
fn chaos(lab: &Lab<'_>) -> Result<()> {
    let plan = Plan {
        web: Fleet { least: 2, most: 4 },
        workers: Fleet { least: 1, most: 3 },
        ledger: Ledger::Dom0,
        ..Plan::default()
    };
    lab.add_packages(&["python3".to_owned()])?;
    let service = Service::start(lab.workshop(), lab, &plan)?;
    service.wait_for(plan.web.least)?;
    let chaos = Chaos::let_loose(&service, seed(), SECONDS)?;
    eprintln!("{chaos:?}");
    ensure!(chaos.kills.len() >= 5, "too few kills: {chaos:?}");
    chaos.check_jobs()
}

/// The seed of the order in which parts are killed.
fn seed() -> u64 {
    let chosen = std::env::var("MORGANA_SEED").ok();
    chosen.and_then(|seed| seed.parse().ok()).unwrap_or(1)
}
