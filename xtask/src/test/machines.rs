//! The foreign providers: libvirt, against its own driver for tests.

use anyhow::Result;

use super::Tally;
use super::counted::cargo_test;
use crate::machines::Foreign;
use crate::workspace::Workspace;

/// The tests of one provider.
pub(super) fn suite(workspace: &Workspace, foreign: Foreign, tally: &mut Tally) {
    if let Err(error) = run(workspace, foreign, tally) {
        tally.test("machines", || Err(error));
    }
}

fn run(workspace: &Workspace, foreign: Foreign, tally: &mut Tally) -> Result<()> {
    let mut command = foreign.cargo(workspace, "test")?;
    cargo_test(&mut command, tally)
}
