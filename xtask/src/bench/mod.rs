//! `cargo xtask bench`: ours and a peer in turn, in one run; one JSON object a line.

mod autoscale;
mod block;
mod boot;
mod chaos;
mod console;
mod dns;
mod http;
mod net;
mod queue;
mod record;
mod ring;
mod serving;
mod spawn;
mod vchan;
mod xenstore;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::cli::Bench;
use crate::process;
use crate::workspace::{Workspace, cargo};

use record::Record;

/// A benchmark: its name, and what runs it and reports each figure as it is known.
type Benchmark = (&'static str, fn(&Workspace, &mut Report<'_>) -> Result<()>);

/// What a benchmark hands its figures to.
type Report<'a> = dyn FnMut(&Record) -> Result<()> + 'a;

/// The profile of programs that are measured at native speed.
const NATIVE: &str = "native";

const ALL: [Benchmark; 13] = [
    ("boot", boot::run),
    ("ring", ring::run),
    ("net", net::run),
    ("block", block::run),
    ("xenstore", xenstore::run),
    ("console", console::run),
    ("vchan", vchan::run),
    ("http", http::run),
    ("dns", dns::run),
    ("queue", queue::run),
    ("spawn", spawn::run),
    ("autoscale", autoscale::run),
    ("chaos", chaos::run),
];

/// Builds the program of a package at native speed; returns it.
fn build_native(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    let mut build = cargo();
    build.current_dir(&workspace.root).args([
        "build",
        "--quiet",
        "--profile",
        NATIVE,
        "--package",
        package,
    ]);
    process::loudly(&mut build)?;
    Ok(workspace.target.join(NATIVE).join(package))
}

/// Runs the benchmarks that are asked for, or all.
pub(crate) fn run(arguments: &Bench) -> Result<i32> {
    for name in &arguments.names {
        if !ALL.iter().any(|(known, _)| known == name) {
            let known: Vec<&str> = ALL.iter().map(|(known, _)| *known).collect();
            bail!(
                "there is no benchmark called {name} (there are: {})",
                known.join(", ")
            );
        }
    }
    let mut file = match &arguments.json {
        Some(path) => {
            Some(File::create(path).with_context(|| format!("cannot write {}", path.display()))?)
        }
        None => None,
    };
    let workspace = Workspace::load()?;
    let mut report = |record: &Record| -> Result<()> {
        let line = record.line()?;
        println!("{line}");
        if let Some(file) = &mut file {
            writeln!(file, "{line}").context("cannot write the figures")?;
        }
        Ok(())
    };
    let long = spawn::Long {
        crowd: arguments.crowd,
        cycles: arguments.cycles,
    };
    for (name, run) in ALL {
        if arguments.names.is_empty() || arguments.names.iter().any(|asked| asked == name) {
            match name {
                "spawn" if long.is_any() => long.run(&workspace, &mut report)?,
                _ => run(&workspace, &mut report)?,
            }
        }
    }
    Ok(0)
}
