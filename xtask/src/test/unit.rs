//! The tests that need no Xen: `cargo test` on the host.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::Tally;
use crate::hold;
use crate::testbed::xen_headers;
use crate::workspace::{Workspace, cargo};

/// Runs them; each counts.
pub(super) fn suite(workspace: &Workspace, tally: &mut Tally) {
    match run(workspace, tally) {
        Ok(()) => {}
        Err(error) => tally.test("unit", || Err(error)),
    }
}

fn run(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .args(["test", "--workspace", "--no-fail-fast"]);
    if let Some(folder) = xen_headers()? {
        command.env("CPATH", folder);
    }
    let mut child = hold::held(&command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut failed = 0;
    for line in BufReader::new(stdout).lines() {
        let line = line.context("cannot read what cargo says")?;
        println!("{line}");
        if let Some((passed, more)) = counts(&line) {
            tally.add(passed, more);
            failed += more;
        }
    }
    let status = child.wait().context("lost cargo")?;
    // A test program that does not build, or that dies, prints no counts.
    if !status.success() && failed == 0 {
        bail!("cargo test failed ({status})");
    }
    Ok(())
}

/// Reads the line that ends each test program's output.
fn counts(line: &str) -> Option<(u64, u64)> {
    let (_, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        rest.split("; ")
            .find_map(|part| part.strip_suffix(word)?.trim().parse().ok())
    };
    Some((count("passed")?, count("failed")?))
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn reads_the_counts() {
        let line = "test result: ok. 25 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.19s";
        assert_eq!(counts(line), Some((25, 0)));
        let line = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.19s";
        assert_eq!(counts(line), Some((1, 2)));
        assert_eq!(counts("test net::works ... ok"), None);
    }
}
