//! The self-scaling service: machines come with the load, and go with it, and no request fails.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{Lab, XenTest};
use crate::autoscale::{AUTOSCALER, BALANCER, Chaos, Fleet, Ledger, Plan, Service};

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

/// How long the load may take, on a slow machine with many at work.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long parts are killed.
const SECONDS: u64 = 60;
/// Jobs that are put in.
const JOBS: u64 = 12;

/// What the controller tells, as far as it is looked at here.
#[derive(Debug, Deserialize)]
struct Series {
    samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct Sample {
    fleets: Fleets,
    done: u64,
    repeated: u64,
}

#[derive(Debug, Deserialize)]
struct Fleets {
    web: Option<State>,
    worker: Option<State>,
}

#[derive(Debug, Deserialize)]
struct State {
    wanted: u32,
    serving: u32,
}

/// What the load generator tells in the end.
#[derive(Debug, Deserialize)]
struct Total {
    ok: u64,
    due: u64,
}

fn load(lab: &Lab<'_>) -> Result<()> {
    let plan = Plan {
        web: Fleet { least: 1, most: 5 },
        rate: 6,
        calm: 4,
        ..Plan::default()
    };
    let generator = lab.program("load")?;
    let service = Service::start(lab.workshop(), lab, &plan)?;
    service.wait_for(plan.web.least)?;
    let page = format!("http://{BALANCER}/");
    for _ in 0..JOBS {
        let order = "posters?level=2&x=1&y=1&side=64&iterations=500";
        lab.sh(&format!(
            "curl -sf -X POST --retry 9 --max-time 5 '{page}{order}'"
        ))?;
    }
    let steps = "--step 3:6s --step 27:14s --step 3:14s";
    let script =
        format!("{generator} {steps} --timeout 30s --json {page}tiles/2/1/1 >/load.json; echo $?");
    let status = lab.sh_within(&script, PATIENCE)?;
    let report = lab.sh("tail -n 1 /load.json")?;
    let series = lab.sh(&format!("curl -sf http://{AUTOSCALER}/series"))?;
    ensure!(status.trim() == "0", "requests failed: {report}");
    let total: Total = serde_json::from_str(&report).with_context(|| report.clone())?;
    ensure!(total.due > 400 && total.ok == total.due, "{total:?}");
    let series: Series = serde_json::from_str(&series).with_context(|| series.clone())?;
    let states: Vec<&State> = series
        .samples
        .iter()
        .filter_map(|sample| sample.fleets.web.as_ref())
        .collect();
    let most = states.iter().map(|state| state.serving).max();
    ensure!(
        most == Some(5),
        "there were never five machines: {states:?}"
    );
    let end = series.samples.last().context("no samples")?;
    ensure!(
        end.done - end.repeated == JOBS,
        "{} jobs done, {} of them again",
        end.done,
        end.repeated
    );
    let workers = series.samples.iter();
    let workers = workers.filter_map(|sample| sample.fleets.worker.as_ref());
    ensure!(
        workers.clone().any(|state| state.serving > 0)
            && end
                .fleets
                .worker
                .as_ref()
                .is_some_and(|state| state.wanted == 0),
        "workers: {:?}",
        workers.collect::<Vec<_>>()
    );
    let last = states.last().context("no states")?;
    ensure!(last.wanted < 5, "no machine was to go: {last:?}");
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
    lab.add_packages(&["python3-minimal".to_owned()])?;
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
