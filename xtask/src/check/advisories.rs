//! Known flaws of what we depend on, where a tool that knows them is installed and reaches its database.

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::{Workspace, cargo};

/// A tool that knows advisories.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tool {
    /// `cargo deny check advisories`
    Deny,
    /// `cargo audit`
    Audit,
}

/// The tool that is installed.
pub(super) fn tool() -> Option<Tool> {
    let installed = |name| process::on_path(name).is_some();
    match () {
        () if installed("cargo-deny") => Some(Tool::Deny),
        () if installed("cargo-audit") => Some(Tool::Audit),
        () => None,
    }
}

/// Runs it. A database that cannot be reached is no failure.
pub(super) fn check(workspace: &Workspace, tool: Tool) -> Result<()> {
    let arguments: &[&str] = match tool {
        Tool::Deny => &["deny", "check", "advisories"],
        Tool::Audit => &["audit"],
    };
    let output = cargo()
        .current_dir(&workspace.root)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    if unreachable(&text) {
        println!("the database of advisories cannot be reached");
        return Ok(());
    }
    bail!("{}", text.trim_end())
}

fn unreachable(text: &str) -> bool {
    [
        "couldn't fetch advisory database",
        "failed to fetch advisory database",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::unreachable;

    #[test]
    fn tells_a_flaw_from_a_missing_network() {
        assert!(unreachable(
            "error: couldn't fetch advisory database: git operation failed"
        ));
        assert!(!unreachable("error[vulnerability]: use after free"));
    }
}
