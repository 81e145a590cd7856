//! How fast a domain is made and ended: `morgana create` and `xl create`, of the same image, in turn; with no other domain, and with many.

use std::io::stderr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::record::median;
use super::{Record, Report};
use crate::build::{Changes, Image, Make, Workshop};
use crate::cli::XenstoredChoice;
use crate::dom0;
use crate::run::ADDRESS_WORDS;
use crate::testbed::{Deadline, Guest, Testbed};
use crate::workspace::Workspace;

const BENCH: &str = "spawn";
const PEER: &str = "xl";
/// How long the whole may take.
const LIMIT: Duration = Duration::from_secs(3600);
const SCRIPT: &str = include_str!("spawn.py");

/// What the script prints of a case, a line each.
#[derive(Debug, Deserialize)]
struct Case {
    case: String,
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// What takes long, and is measured where it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Long {
    /// So many web domains at once.
    pub(super) crowd: Option<u8>,
    /// A domain made and ended so many times.
    pub(super) cycles: Option<u32>,
}

/// Runs all cases that take little time.
///
/// With many domains, Xen's xenstored takes the longer for each node that is written the more of them there are, whoever writes it: it looks for each domain whether that may hear of
/// the node. So how it is with those by whom they are made shows beside ours only.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    Dom0::new(workspace, XenstoredChoice::C)?.measure("cases ''", report)?;
    Dom0::new(workspace, XenstoredChoice::Ours)?.measure("cases -beside-our-xenstored", report)
}

impl Long {
    /// Whether anything is asked for.
    pub(super) fn is_any(self) -> bool {
        self.crowd.is_some() || self.cycles.is_some()
    }

    /// Runs what is asked for.
    pub(super) fn run(self, workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
        if let Some(domains) = self.crowd {
            let dom0 = Dom0::new(workspace, XenstoredChoice::Ours)?;
            dom0.measure(&format!("crowd {domains}"), report)?;
        }
        if let Some(times) = self.cycles {
            let dom0 = Dom0::new(workspace, XenstoredChoice::C)?;
            dom0.measure(&format!("cycles {times}"), report)?;
        }
        Ok(())
    }
}

/// A dom0 with all that the script takes.
struct Dom0(Testbed);

impl Dom0 {
    fn new(workspace: &Workspace, xenstored: XenstoredChoice) -> Result<Self> {
        let workshop = Workshop::new(workspace, Make::Shipped);
        let program = workshop.program_of("morgana-cli", "morgana")?;
        let apps = [workspace.app("hello")?, workspace.app("website")?];
        let images = Image::build(workspace, &apps)?;
        let testbed = dom0::start(&workshop, xenstored)?;
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
        Ok(Self(testbed))
    }

    /// Has the script measure; `what` are its arguments.
    fn measure(&self, what: &str, report: &mut Report<'_>) -> Result<()> {
        let script =
            format!("chmod 755 /bin/morgana && cd /guests && python3 /bench/spawn.py {what}");
        let mut told = Vec::new();
        let deadline = Deadline::after(LIMIT);
        let status = self.0.run(&script, deadline, &mut told, &mut stderr())?;
        for line in String::from_utf8_lossy(&told).lines() {
            report(&record(line)?)?;
        }
        ensure!(status == 0, "spawn.py {what} ends with status {status}");
        Ok(())
    }
}

/// What the script says of a case.
fn record(line: &str) -> Result<Record> {
    let case = serde_json::from_str(line).with_context(|| format!("spawn.py says {line}"))?;
    let Case { case, ours, theirs } = case;
    let record = if theirs.is_empty() {
        median(&ours).map(|ours| Record::alone(BENCH, &case, "s", ours))
    } else {
        eprintln!("{case}: ours {ours:.3?} s, {PEER} {theirs:.3?} s");
        Record::times(BENCH, &case, &ours, PEER, &theirs)
    };
    record.context("nothing was measured")
}
