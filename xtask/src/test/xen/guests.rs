//! The guests under tests/guests. Such a guest writes `SUCCESS`, or `FAILURE` and why, and powers off.

use anyhow::{Result, ensure};

use super::{Lab, XenTest};
use crate::testbed::End;

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "guests/selftest",
    run: selftest,
}];

fn selftest(lab: &Lab<'_>) -> Result<()> {
    succeeds(lab, "guest-selftest", "")
}

/// Runs a guest that tests something from inside.
fn succeeds(lab: &Lab<'_>, app: &str, extra: &str) -> Result<()> {
    let (end, console) = lab.run_guest(app, extra)?;
    let said = |word: &str| {
        console
            .lines()
            .any(|line| line.trim_start().starts_with(word))
    };
    ensure!(
        !said("FAILURE") && said("SUCCESS"),
        "{app} does not succeed; its console:\n{console}"
    );
    ensure!(
        end == End::PowerOff,
        "{app} ends with {end:?}; its console:\n{console}"
    );
    Ok(())
}
