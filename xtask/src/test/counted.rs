//! Tests that cargo runs: each of them counts.

use std::io::{self, BufRead, BufReader, PipeReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::Tally;
use super::tally::Voice;
use crate::hold;

/// Runs a `cargo test`, shows what it prints, and counts its tests.
///
/// # Errors
///
/// If it fails although no test does: a test program that does not build, or that dies, prints no counts.
pub(super) fn cargo_test(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let (mut child, said) = start(command, tally.voice()).context("cannot start cargo")?;
    let mut failed = 0;
    for line in BufReader::new(said).split(b'\n') {
        let line = line.context("cannot read what cargo says")?;
        let line = String::from_utf8_lossy(&line);
        tally.say(&line);
        if let Some((passed, more)) = counts(&line) {
            tally.add(passed, more);
            failed += more;
        }
    }
    let status = child.wait().context("lost cargo")?;
    if !status.success() && failed == 0 {
        bail!("cargo test failed ({status})");
    }
    Ok(())
}

/// Starts it; returns what it says. Where that is not shown at once, its errors and the names of the test programs come with it.
fn start(command: &Command, voice: Voice) -> io::Result<(Child, PipeReader)> {
    let (said, end) = io::pipe()?;
    let mut command = hold::held(command);
    command.stdin(Stdio::null());
    if voice == Voice::BySuite {
        command.stderr(end.try_clone()?);
    }
    // With the command our own end goes: what cargo says is over when it ends.
    let child = command.stdout(end).spawn()?;
    Ok((child, said))
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
