//! Links between the documents: the file is there, and so is the heading.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Looks at every Markdown file that git knows.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut command = Command::new("git");
    command
        .current_dir(&workspace.root)
        .args(["ls-files", "-co", "--exclude-standard", "*.md"]);
    let mut dead = Vec::new();
    for name in process::stdout(&mut command)?.lines() {
        let path = workspace.root.join(name);
        // A file may be deleted and not yet committed.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for target in targets(&text) {
            if let Some(why) = dead_link(&path, &text, &target)? {
                dead.push(format!("{name}: {target}: {why}"));
            }
        }
    }
    if !dead.is_empty() {
        bail!("{}", dead.join("\n"));
    }
    Ok(())
}

fn dead_link(file: &Path, text: &str, target: &str) -> Result<Option<String>> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(None);
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let found: PathBuf = if path.is_empty() {
        file.to_owned()
    } else {
        file.with_file_name("").join(path)
    };
    if !found.exists() {
        return Ok(Some("there is no such file".to_owned()));
    }
    if heading.is_empty() || found.extension().is_none_or(|ending| ending != "md") {
        return Ok(None);
    }
    let other = if path.is_empty() {
        text.to_owned()
    } else {
        fs::read_to_string(&found).with_context(|| format!("cannot read {}", found.display()))?
    };
    Ok((!anchors(&other).contains(&heading.to_owned()))
        .then(|| "there is no such heading".to_owned()))
}

/// The lines outside code blocks, with code spans taken out.
fn prose(text: &str) -> impl Iterator<Item = String> {
    let mut inside = false;
    text.lines().filter_map(move |line| {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            return None;
        }
        (!inside).then(|| line.split('`').step_by(2).collect())
    })
}

/// What the inline links and the reference definitions lead to.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line.as_str();
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let Some(end) = rest.find(')') else { break };
            let target = rest[..end].split(' ').next().unwrap_or("");
            found.push(target.trim_matches(['<', '>']).to_owned());
            rest = &rest[end..];
        }
        if let Some((_, target)) = line
            .strip_prefix('[')
            .and_then(|line| line.split_once("]: "))
        {
            found.push(target.split(' ').next().unwrap_or("").to_owned());
        }
    }
    found
}

/// The anchors that readers on the web make of the headings: lower case, words joined with hyphens.
fn anchors(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        }
        let title = line.trim_start_matches('#');
        if inside || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().to_lowercase().replace(' ', "-");
        let anchor: String = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
            .collect();
        let same = found.iter().filter(|other| **other == anchor).count();
        found.push(if same == 0 {
            anchor
        } else {
            format!("{anchor}-{same}")
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{anchors, dead_link, targets};

    #[test]
    fn finds_links_in_prose_only() {
        let text = "[a](x.md) and [b](y.md#z \"t\")\n```\n[c](no.md)\n```\n`[d](no.md)` [e][f]\n\n[f]: w.md\n";
        assert_eq!(targets(text), ["x.md", "y.md#z", "w.md"]);
    }

    #[test]
    fn makes_anchors() {
        assert_eq!(
            anchors("# The `xl` command\n## A, b\n```\n# no\n```\n## A, b\n"),
            ["the-xl-command", "a-b", "a-b-1"]
        );
    }

    #[test]
    fn tells_dead_links() {
        let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
        let text = "# One\n";
        let dead = |target: &str| dead_link(here, text, target).unwrap().is_some();
        assert!(
            !dead("Cargo.toml")
                && !dead("#one")
                && !dead("https://xenproject.org/")
                && !dead("src/main.rs#L1")
        );
        assert!(dead("nowhere.md") && dead("#two") && dead("../README.md#no-such-heading"));
    }
}
