//! `morgana list` and `morgana stats`.

use std::io::{self, Write};

use morgana_hal::{Activity, DomainInfo};
use morgana_logs::record::Harmless;
use morgana_toolstack::{Ended, Listed, Uuid};
use serde::Serialize;

use super::Here;
use crate::cli::{List, Stats};
use crate::failure::Failure;

pub(super) async fn run(host: &Here, arguments: List) -> Result<(), Failure> {
    let listed = host.list().await.map_err(Failure::of)?;
    let mut out = io::stdout().lock();
    if !arguments.no_header {
        writeln!(
            out,
            "{:<32} {:>5} {:>8} {:>5} {:<9} {:>10}",
            "NAME", "ID", "MEM(MiB)", "VCPUS", "STATE", "TIME(s)"
        )?;
    }
    for Listed { name, info } in &listed {
        writeln!(
            out,
            "{:<32} {:>5} {:>8} {:>5} {:<9} {:>10.1}",
            Harmless(name).to_string(),
            info.domain.number(),
            info.pages.div_ceil(256),
            info.vcpus,
            state(info.activity),
            info.cpu_time_ns as f64 / 1e9,
        )?;
    }
    Ok(())
}

/// What is told of a domain, in JSON.
#[derive(Serialize)]
pub(crate) struct Figures<'a> {
    id: u16,
    name: &'a str,
    uuid: String,
    state: &'static str,
    vcpus: u32,
    memory_kib: u64,
    most_memory_kib: u64,
    cpu_ns: u64,
}

impl<'a> Figures<'a> {
    pub(crate) fn of(name: &'a str, info: &DomainInfo) -> Self {
        Self {
            id: info.domain.number(),
            name,
            uuid: Uuid::from_bytes(info.handle).to_string(),
            state: state(info.activity),
            vcpus: info.vcpus,
            memory_kib: info.pages * 4,
            most_memory_kib: info.max_pages.saturating_mul(4),
            cpu_ns: info.cpu_time_ns,
        }
    }
}

pub(super) async fn stats(host: &Here, arguments: Stats) -> Result<(), Failure> {
    let only = match &arguments.domain {
        Some(called) => Some(host.find(called).await.map_err(Failure::of)?),
        None => None,
    };
    let listed = host.list().await.map_err(Failure::of)?;
    let mut out = io::stdout().lock();
    for Listed { name, info } in &listed {
        if only.is_some_and(|only| only != info.domain) {
            continue;
        }
        let line = serde_json::to_string(&Figures::of(name, info)).map_err(Failure::of)?;
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// How a domain has ended, in a word.
pub(crate) fn ending(ended: Ended) -> String {
    match ended {
        Ended::Gone => "gone",
        Ended::ShutDown(reason) => state(Activity::ShutDown(reason)),
    }
    .to_owned()
}

fn state(activity: Activity) -> &'static str {
    match activity {
        Activity::Dying => "dying",
        // sched.h, SHUTDOWN_*.
        Activity::ShutDown(0) => "off",
        Activity::ShutDown(1) => "reboot",
        Activity::ShutDown(2) => "suspended",
        Activity::ShutDown(3) => "crashed",
        Activity::ShutDown(_) => "shut down",
        Activity::Paused => "paused",
        Activity::Running => "running",
        Activity::Blocked => "blocked",
        Activity::Runnable => "runnable",
    }
}
