//! The foreign providers: libvirt against its own driver for tests, EC2 against a server that makes machines up; and apps run with them as a user runs them.

mod run;

use anyhow::Result;

use super::Tally;
use super::counted::cargo_test;
use crate::machines::{Foreign, Moto};
use crate::process;
use crate::workspace::Workspace;

use run::Place;

/// The tests of one provider.
pub(super) fn suite(workspace: &Workspace, foreign: Foreign, tally: &mut Tally) {
    tally.test("machines/clippy", || clippy(workspace, foreign));
    if let Err(error) = run(workspace, foreign, tally) {
        tally.test("machines", || Err(error));
    }
}

/// The same as in `check`, which leaves the provider out.
fn clippy(workspace: &Workspace, foreign: Foreign) -> Result<()> {
    let mut command = foreign.cargo(workspace, "clippy")?;
    process::judged(command.args(["--quiet", "--all-targets", "--", "-D", "warnings"]))
}

fn run(workspace: &Workspace, foreign: Foreign, tally: &mut Tally) -> Result<()> {
    let mut command = foreign.cargo(workspace, "test")?;
    let moto = match foreign {
        Foreign::Libvirt => None,
        Foreign::Ec2 => Some(Moto::start()?),
    };
    if let Some(moto) = &moto {
        command
            .env("MORGANA_EC2_ENDPOINT", &moto.endpoint)
            // It takes any.
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any");
    }
    cargo_test(&mut command, tally)?;
    match &moto {
        None => run::suite(&Place::libvirt(), tally),
        Some(moto) => run::suite(&Place::ec2(&moto.endpoint), tally),
    }
    Ok(())
}
