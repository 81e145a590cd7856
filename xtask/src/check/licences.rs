//! The licences of what we depend on: none that asks more of a user than to keep a notice.

use anyhow::{Result, bail};

use super::packages::{Package, Whose, packages};
use crate::workspace::Workspace;

/// SPDX names of the licences that may be chosen.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages under another licence, and which: only in the program with the foreign providers, which is built with them if that is asked for.
const BINDING: [(&str, &str); 2] = [("virt", "LGPL-2.1"), ("virt-sys", "LGPL-2.1")];

/// Looks at every package in the lock files.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut machines = packages(workspace, Whose::Machines)?;
    machines.retain(|package| !is_known_to_bind(package));
    let wrong: Vec<String> = packages(workspace, Whose::All)?
        .iter()
        .chain(&machines)
        .filter_map(violation)
        .collect();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

fn is_known_to_bind(package: &Package) -> bool {
    let licence = package.license.as_deref().unwrap_or_default();
    BINDING.contains(&(package.name.as_str(), licence))
}

fn violation(package: &Package) -> Option<String> {
    package.source.as_ref()?;
    let named = format!("{} {}", package.name, package.version);
    match &package.license {
        None => Some(format!("{named} names no licence")),
        Some(expression) if allowed(expression) => None,
        Some(expression) => Some(format!("{named} is under {expression}")),
    }
}

/// Whether an SPDX expression (or its old form with slashes) can be met by the allowed licences.
fn allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any(&words, &mut at) == Some(true) && at == words.len()
}

/// `all OR all ...`; none if it is not an expression.
fn any(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut met = all(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all(words, at)?;
    }
    Some(met)
}

/// `one AND one ...`
fn all(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut met = one(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at)?;
    }
    Some(met)
}

/// A name, a name WITH an exception, or an expression in parentheses.
fn one(words: &[&str], at: &mut usize) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let met = any(words, at)?;
        (words.get(*at) == Some(&")")).then_some(())?;
        *at += 1;
        return Some(met);
    }
    if words.get(*at) == Some(&"WITH") {
        let whole = format!("{word} WITH {}", words.get(*at + 1)?);
        *at += 2;
        return Some(ALLOWED.contains(&whole.as_str()));
    }
    Some(ALLOWED.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn reads_expressions() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        ] {
            assert!(allowed(good), "{good}");
        }
    }

    #[test]
    fn refuses_what_binds() {
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-2.0",
            "LGPL-2.1 WITH LLVM-exception",
            "",
            "MIT OR",
            "(MIT",
            "MIT)",
            "Proprietary",
        ] {
            assert!(!allowed(bad), "{bad}");
        }
    }
}
