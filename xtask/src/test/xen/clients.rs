//! Bad clients of the website: slow ones, idle ones, too many of them.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Lab, XenTest};
use crate::run::ADDRESS_WORDS;

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "clients/slow-and-idle",
    run: slow_and_idle,
}];

const SCRIPT: &str = include_str!("clients.py");
/// How long the script may take.
const PATIENCE: Duration = Duration::from_secs(400);

/// Slow heads and bodies, 1,000 idle connections, and more than there can be: the guest answers or closes, serves others, and goes on.
fn slow_and_idle(lab: &Lab<'_>) -> Result<()> {
    lab.add_packages(&["python3-minimal".to_owned()])?;
    lab.put_bytes(SCRIPT.as_bytes(), "/clients.py", 0o644)?;
    let guest = lab.guest("website", ADDRESS_WORDS)?;
    guest.create(lab)?;
    lab.expect_line(&guest, "serving")?;
    let told = lab.sh_within("ulimit -n 4096; python3 /clients.py 10.0.2.50", PATIENCE)?;
    ensure!(told.contains("served after all"), "{told}");
    ensure!(
        !told.contains("timeouts counted: 0"),
        "nobody timed out:\n{told}"
    );
    let console = guest.console(lab)?;
    ensure!(!console.contains("panic"), "its console:\n{console}");
    guest.shut_down(lab, Duration::from_secs(60))
}
