//! The documents that are published, and the paths of their pages.

use std::fs;
use std::path::Path;

use crate::Problem;

/// The folders whose crates have a README each, from the bottom of the house to its top.
pub(crate) const LAYERS: [&str; 7] = [
    "kernel", "drivers", "net", "storage", "xenstore", "console", "apps",
];

/// One document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Source {
    /// Its path, relative to the root, with `/` between the parts.
    pub(crate) file: String,
    /// Its page's path.
    pub(crate) url: String,
    /// Its Markdown.
    pub(crate) text: String,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a document is, which decides where the navigation shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The README at the root: the front page.
    Front,
    /// Another document at the root.
    Project,
    /// The index of the guides, `docs/README.md`.
    GuideIndex,
    /// A guide in `docs/`.
    Guide,
    /// The README of one of [`LAYERS`].
    Layer,
    /// The README of a crate.
    Crate,
}

/// All documents below `root`, in a fixed order.
pub(crate) fn collect(root: &Path) -> Result<Vec<Source>, Problem> {
    let mut sources = vec![read(root, "README.md", "/", Kind::Front)?];
    for name in ["ARCHITECTURE", "CONTRIBUTING", "CHANGELOG"] {
        let url = format!("/{}/", name.to_lowercase());
        sources.push(read(root, &format!("{name}.md"), &url, Kind::Project)?);
    }
    for name in names(&root.join("docs"))? {
        match name.strip_suffix(".md") {
            Some("README") => {
                sources.push(read(root, "docs/README.md", "/docs/", Kind::GuideIndex)?);
            }
            Some(stem) => {
                let (file, url) = (format!("docs/{name}"), format!("/docs/{stem}/"));
                sources.push(read(root, &file, &url, Kind::Guide)?);
            }
            None => {}
        }
    }
    for layer in LAYERS {
        let folder = root.join(layer);
        if !folder.is_dir() {
            continue;
        }
        let file = format!("{layer}/README.md");
        if root.join(&file).is_file() {
            sources.push(read(root, &file, &format!("/{layer}/"), Kind::Layer)?);
        }
        for name in names(&folder)? {
            let file = format!("{layer}/{name}/README.md");
            if root.join(&file).is_file() {
                sources.push(read(
                    root,
                    &file,
                    &format!("/{layer}/{name}/"),
                    Kind::Crate,
                )?);
            }
        }
    }
    Ok(sources)
}

fn read(root: &Path, file: &str, url: &str, kind: Kind) -> Result<Source, Problem> {
    let path = root.join(file);
    let text = fs::read_to_string(&path).map_err(|error| Problem::Io(path, error))?;
    Ok(Source {
        file: file.into(),
        url: url.into(),
        text,
        kind,
    })
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>, Problem> {
    let failed = |error| Problem::Io(folder.into(), error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.push(
            entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}
