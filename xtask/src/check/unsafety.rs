//! Unsafe code lives in few, named packages; every other crate forbids it.

use std::fs;

use anyhow::{Context, Result, bail};

use super::packages::{Whose, packages};
use crate::workspace::Workspace;

/// The folders of the packages that may have unsafe code. Clippy sees that each block says why it is sound.
const MAY: [&str; 6] = [
    "kernel/abi",
    "kernel/hal",
    "kernel/pv",
    "kernel/linux",
    "kernel/emul",
    "kernel/uring",
];

/// Looks at the first file of every library and program.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut wrong = Vec::new();
    for package in packages(workspace, Whose::Ours)? {
        if MAY.contains(&package.folder(&workspace.root).as_str()) {
            continue;
        }
        for target in &package.targets {
            if !target
                .kind
                .iter()
                .any(|kind| kind.ends_with("lib") || kind == "bin" || kind == "proc-macro")
            {
                continue;
            }
            let path = &target.src_path;
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            if !forbids(&text) {
                let path = path.strip_prefix(&workspace.root).unwrap_or(path);
                wrong.push(format!("{} has no #![forbid(unsafe_code)]", path.display()));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

fn forbids(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim() == "#![forbid(unsafe_code)]")
}

#[cfg(test)]
mod tests {
    use super::forbids;

    #[test]
    fn wants_the_attribute_itself() {
        assert!(forbids(
            "//! A crate.\n#![no_std]\n#![forbid(unsafe_code)]\n"
        ));
        assert!(!forbids("//! A crate.\n#![no_std]\n"));
        assert!(!forbids("// #![forbid(unsafe_code)]\n"));
        assert!(!forbids("#![deny(unsafe_code)]\n"));
    }
}
