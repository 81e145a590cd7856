//! The same random requests to ours and to Xen's two daemons, each in a dom0 that has booted on it: replies and events are held against those of our store.
//!
//! A seed makes an episode, and all of them are the same each time. `MORGANA_EPISODES` and `MORGANA_SEED` of the environment ask for others.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::process;

/// On our daemon.
pub(super) const OUR_TESTS: &[XenTest] = &[XenTest {
    name: "xenstored/peers-ours",
    run: ours,
}];

/// On Xen's in C.
pub(super) const C_TESTS: &[XenTest] = &[XenTest {
    name: "xenstored/peers-c",
    run: c,
}];

/// On Xen's in OCaml.
pub(super) const OCAML_TESTS: &[XenTest] = &[XenTest {
    name: "xenstored/peers-ocaml",
    run: ocaml,
}];

const PROGRAM: &str = "xenstore-peers";

/// How many episodes of 200 steps, if the environment names no other number: Xen's daemons take a second or three for each.
const EPISODES: u64 = 10;

/// How long a daemon may take for all of them.
const LIMIT: Duration = Duration::from_secs(3600);

/// Ours answers as the store alone does.
fn ours(lab: &Lab<'_>) -> Result<()> {
    let run = Run::new(lab, "ours")?;
    let steps = same(&run.ours()?, &run.record(lab)?)?;
    println!("Ours: {steps} steps compared, {run}");
    Ok(())
}

fn c(lab: &Lab<'_>) -> Result<()> {
    by_rules(lab, "c")
}

fn ocaml(lab: &Lab<'_>) -> Result<()> {
    by_rules(lab, "ocaml")
}

/// What differs is to be one of the known differences.
fn by_rules(lab: &Lab<'_>, peer: &'static str) -> Result<()> {
    let run = Run::new(lab, peer)?;
    let ours = run.folder.join(format!("store-for-{peer}"));
    fs::write(&ours, run.ours()?)?;
    run.record(lab)?;
    let mut compare = run.command("compare");
    compare.arg(peer).args(run.range()).args([ours, run.file()]);
    let said = process::stdout(&mut compare).context("the daemons differ")?;
    println!("{}, {run}", said.trim_end());
    Ok(())
}

/// How many steps there are, if both records of them are the same.
fn same(ours: &str, theirs: &str) -> Result<usize> {
    for (step, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
        ensure!(
            ours == theirs,
            "step {step}: the store {ours:?}, the daemon {theirs:?}"
        );
    }
    let steps = [ours, theirs].map(|record| record.lines().count());
    ensure!(steps[0] == steps[1], "{steps:?} steps");
    Ok(steps[0])
}

/// A number that the environment names, or one that it does not.
fn asked(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(number) => number.parse().with_context(|| format!("{name}={number}")),
        Err(_) => Ok(default),
    }
}

/// Episodes that a daemon is asked.
struct Run {
    daemon: &'static str,
    program: PathBuf,
    folder: PathBuf,
    seed: u64,
    episodes: u64,
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} episodes from seed {} on", self.episodes, self.seed)
    }
}

impl Run {
    fn new(lab: &Lab<'_>, daemon: &'static str) -> Result<Self> {
        let folder = lab.workshop().workspace().target.join(PROGRAM);
        fs::create_dir_all(&folder)?;
        Ok(Self {
            daemon,
            program: lab.workshop().program(PROGRAM)?,
            folder,
            seed: asked("MORGANA_SEED", 0)?,
            episodes: asked("MORGANA_EPISODES", EPISODES)?,
        })
    }

    fn range(&self) -> [String; 2] {
        [self.seed, self.episodes].map(|number| number.to_string())
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(what);
        command
    }

    /// What our store answers.
    fn ours(&self) -> Result<String> {
        process::stdout(self.command("store").args(self.range()))
    }

    /// Where it is kept what the daemon has answered, for whoever looks for the reason of a difference.
    fn file(&self) -> PathBuf {
        self.folder.join(self.daemon)
    }

    /// Plays the episodes to the daemon that serves this dom0; returns what it has answered.
    fn record(&self, lab: &Lab<'_>) -> Result<String> {
        let (program, record) = (format!("/programs/{PROGRAM}"), "/tmp/record");
        lab.put(&self.program, &program)?;
        let [seed, episodes] = self.range();
        lab.sh_within(
            &format!("{program} record /run/xenstored/socket {seed} {episodes} >{record}"),
            LIMIT,
        )?;
        lab.get(record, &self.file())?;
        Ok(fs::read_to_string(self.file())?)
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn records_are_the_same_or_the_first_difference_is_told() {
        assert_eq!(same("= a\n= b\n", "= a\n= b\n").unwrap(), 2);
        let told = same("= a\n= b\n", "= a\n= c\n").unwrap_err().to_string();
        assert!(told.contains("step 1"), "{told}");
        assert!(same("= a\n= b\n", "= a\n").is_err());
    }
}
