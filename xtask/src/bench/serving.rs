//! A guest that serves, and load for it from dom0, with what the guest's processor spends on that by Xen's own account.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::run::ADDRESS;
use crate::testbed::{Guest, Testbed};

const SCRIPT: &str = include_str!("serving.py");
/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(600);

/// What a command in dom0 printed, and what the guest spent meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) text: String,
    /// Seconds of the guest's processor.
    pub(super) cpu: f64,
}

/// Connections that are open and silent during a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    pub(super) count: usize,
    pub(super) port: u16,
}

/// Prepares dom0: Python and the programs that make the load.
pub(super) fn prepare(testbed: &Testbed, packages: &[&str]) -> Result<()> {
    let mut packages: Vec<String> = packages.iter().map(|name| (*name).to_owned()).collect();
    // The smallest Python that knows sockets; Xen's own module for it is in dom0.
    packages.push("python3-minimal".to_owned());
    testbed.add_packages(&packages)?;
    testbed.put_bytes(SCRIPT.as_bytes(), "/bench/serving.py", 0o644)
}

/// Starts a guest, lets `measure` do its work, and destroys the guest. All of it is done once more if it fails, since the testbed has rare
/// faults, and says so.
pub(super) fn with_guest<T>(
    testbed: &Testbed,
    guest: &Guest,
    measure: impl Fn() -> Result<T>,
) -> Result<T> {
    let once = || {
        // dom0 remembers another guest at this address.
        testbed.sh("ip neigh flush dev xenbr0 >/dev/null 2>&1; true")?;
        guest.create(testbed)?;
        let measured = measure().or_else(|error| {
            let console = guest.console(testbed).unwrap_or_default();
            let tail: Vec<&str> = console.lines().rev().take(10).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            Err(error).with_context(|| format!("{} said:\n{}", guest.name(), tail.join("\n")))
        });
        guest.destroy(testbed)?;
        measured
    };
    once().or_else(|error| {
        eprintln!("again: {error:#}");
        once()
    })
}

/// Waits until the guest takes connections at `port`.
pub(super) fn wait(testbed: &Testbed, port: u16) -> Result<()> {
    let script = format!("python3 /bench/serving.py wait {ADDRESS} {port}");
    testbed.sh_within(&script, LIMIT).map(drop)
}

/// Waits until the guest answers questions about names, and compares the answers with those in a file.
pub(super) fn ask(testbed: &Testbed, file: &str) -> Result<()> {
    let script = format!("python3 /bench/serving.py ask {ADDRESS} {file}");
    testbed.sh_within(&script, LIMIT).map(drop)
}

/// Runs a command in dom0.
pub(super) fn run(
    testbed: &Testbed,
    guest: &Guest,
    idle: Option<Idle>,
    command: &str,
) -> Result<Told> {
    let what = match idle {
        None => "run".to_owned(),
        Some(Idle { count, port }) => format!("idle {count} {ADDRESS} {port}"),
    };
    let name = guest.name();
    let script =
        format!("ulimit -n 65536 && python3 /bench/serving.py {what} {name} {command} 2>&1");
    told(&testbed.sh_within(&script, LIMIT)?)
}

fn told(text: &str) -> Result<Told> {
    let (before, spent) = text
        .trim_end()
        .rsplit_once("guest-cpu-ns ")
        .with_context(|| format!("nothing of the guest's processor in:\n{text}"))?;
    let nanoseconds: f64 = spent
        .parse()
        .with_context(|| format!("the guest's processor has spent {spent}"))?;
    Ok(Told {
        text: before.to_owned(),
        cpu: nanoseconds / 1e9,
    })
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn takes_the_account_from_the_end() {
        let told = told("some output\nguest-cpu-ns 1500000000\n").unwrap();
        assert_eq!((told.text.as_str(), told.cpu), ("some output\n", 1.5));
        assert!(super::told("some output\n").is_err());
        assert!(super::told("guest-cpu-ns x").is_err());
    }
}
