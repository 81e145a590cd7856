//! How fast a domain is made and ended: `morgana create` and `xl create`, of the same image, in turn; with no other domain, and with many.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Record, Report};
use crate::build::{Changes, Image, Make, Workshop};
use crate::run::ADDRESS_WORDS;
use crate::testbed::{Guest, Testbed, Xenstored};
use crate::workspace::Workspace;

const BENCH: &str = "spawn";
const PEER: &str = "xl";
/// How long the whole may take.
const LIMIT: Duration = Duration::from_secs(1200);
const SCRIPT: &str = include_str!("spawn.py");

/// What the script prints of a case, a line each.
#[derive(Debug, Deserialize)]
struct Case {
    case: String,
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let workshop = Workshop::new(workspace, Make::Shipped);
    let program = workshop.program_of("morgana-cli", "morgana")?;
    let apps = [workspace.app("hello")?, workspace.app("website")?];
    let images = Image::build(workspace, &apps)?;
    let testbed = Testbed::start(Xenstored::C)?;
    testbed.add_packages(&["python3-minimal".to_owned()])?;
    testbed.put(&program, "/bin/morgana")?;
    testbed.put_bytes(SCRIPT.as_bytes(), "/bench/spawn.py", 0o644)?;
    for (image, extra) in images.iter().zip(["seconds=100000", ADDRESS_WORDS]) {
        let changes = Changes {
            extra: extra.to_owned(),
            ..Changes::default()
        };
        Guest::install_as(&testbed, workspace, image, &changes)?;
    }
    let script = "chmod 755 /bin/morgana && cd /guests && python3 /bench/spawn.py";
    let told = testbed.sh_within(script, LIMIT)?;
    for line in told.lines() {
        let case: Case =
            serde_json::from_str(line).with_context(|| format!("spawn.py says {line}"))?;
        let Case { case, ours, theirs } = case;
        eprintln!("{case}: ours {ours:.3?} s, {PEER} {theirs:.3?} s");
        let record = Record::times(BENCH, &case, &ours, PEER, &theirs);
        report(&record.context("nothing was measured")?)?;
    }
    Ok(())
}
