//! Links between documents, as links between pages.

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::Fault;

/// Where links may lead.
#[derive(Default, Debug)]
pub(crate) struct Targets {
    files: BTreeMap<String, Target>,
}

#[derive(Debug)]
struct Target {
    url: String,
    headings: BTreeSet<String>,
}

impl Targets {
    /// Makes `file` (its path relative to the root) known as the page `url` with these heading ids.
    pub(crate) fn add(
        &mut self,
        file: &str,
        url: &str,
        headings: impl IntoIterator<Item = String>,
    ) {
        let target = Target {
            url: url.into(),
            headings: headings.into_iter().collect(),
        };
        self.files.insert(file.into(), target);
    }

    /// What the link `link` in the document `file` is on the site. Links to other sites stay as they are.
    pub(crate) fn resolve(&self, file: &str, link: &str) -> Result<String, Fault> {
        if ["https://", "http://", "mailto:"]
            .iter()
            .any(|s| link.starts_with(s))
        {
            return Ok(link.into());
        }
        let (path, heading) = match link.split_once('#') {
            Some((path, heading)) => (path, Some(heading)),
            None => (link, None),
        };
        let missing = || Fault::NoSuchPage(link.into());
        let wanted = if path.is_empty() {
            file.to_owned()
        } else {
            join(file, path).ok_or_else(missing)?
        };
        let target = self
            .files
            .get(&wanted)
            .or_else(|| self.files.get(&format!("{wanted}/README.md")))
            .ok_or_else(missing)?;
        match heading {
            None => Ok(target.url.clone()),
            Some(id) if target.headings.contains(id) && path.is_empty() => Ok(format!("#{id}")),
            Some(id) if target.headings.contains(id) => Ok(format!("{}#{id}", target.url)),
            Some(_) => Err(Fault::NoSuchHeading(link.into())),
        }
    }
}

/// The path that `link` means in `file`, or `None` if it leaves the root.
fn join(file: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            "" => return None,
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> Targets {
        let mut targets = Targets::default();
        targets.add("README.md", "/", ["start".into()]);
        targets.add("docs/http.md", "/docs/http/", ["limits".into()]);
        targets.add("kernel/hal/README.md", "/kernel/hal/", []);
        targets
    }

    #[test]
    fn links_between_files_become_links_between_pages() {
        let targets = targets();
        for (file, link, url) in [
            ("README.md", "docs/http.md", "/docs/http/"),
            ("README.md", "docs/http.md#limits", "/docs/http/#limits"),
            ("README.md", "#start", "#start"),
            ("docs/http.md", "../README.md", "/"),
            ("docs/http.md", "../kernel/hal", "/kernel/hal/"),
            ("docs/http.md", "../kernel/hal/README.md", "/kernel/hal/"),
            (
                "docs/http.md",
                "https://example.org/#x",
                "https://example.org/#x",
            ),
        ] {
            assert_eq!(
                targets.resolve(file, link).unwrap(),
                url,
                "{link} in {file}"
            );
        }
    }

    #[test]
    fn a_link_to_nowhere_is_an_error_that_names_it() {
        let targets = targets();
        for link in [
            "missing.md",
            "../../etc/passwd",
            "/docs/http/",
            "docs/missing.md#limits",
        ] {
            let fault = targets.resolve("README.md", link).unwrap_err();
            assert!(matches!(fault, Fault::NoSuchPage(_)), "{fault}");
            assert!(fault.to_string().contains(link));
        }
        let fault = targets
            .resolve("README.md", "docs/http.md#limit")
            .unwrap_err();
        assert!(matches!(fault, Fault::NoSuchHeading(_)), "{fault}");
    }
}
