//! The documents that are published, and the paths of their pages.

use std::fs;
use std::path::Path;

use morgana_site::{Document, Fault, Kind, Plain, Problem, Sources, Standing, Untagged};

/// The folders whose crates have a README each, from the bottom of the house to its top.
pub(crate) const LAYERS: [&str; 7] = [
    "kernel", "drivers", "net", "storage", "xenstore", "console", "apps",
];

/// Where a document's page stands in the navigation: the section of its [`Document`].
pub(crate) mod section {
    /// The README at the root.
    pub(crate) const FRONT: &str = "front";
    /// Another document at the root.
    pub(crate) const PROJECT: &str = "project";
    /// The index of the guides, `docs/README.md`.
    pub(crate) const GUIDES: &str = "guides";
    /// A guide in `docs/`.
    pub(crate) const GUIDE: &str = "guide";
    /// The README of one of [`super::LAYERS`].
    pub(crate) const LAYER: &str = "layer";
    /// The README of a crate.
    pub(crate) const CRATE: &str = "crate";
}

/// Files at the root that are published as they are.
const PLAIN: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
const TEXT: &str = "text/plain; charset=utf-8";

/// What the program answers itself.
const LIVE: [&str; 2] = ["/metrics", "/healthz"];

/// Adds all that is published of the project at `root`, in a fixed order, and tells cargo to watch it.
pub(crate) fn collect(root: &Path, into: &mut Sources) -> Result<(), Problem> {
    let mut reader = Reader { root, into };
    reader.add("README.md", "/", section::FRONT, "front.html")?;
    for name in ["ARCHITECTURE", "CONTRIBUTING", "CHANGELOG"] {
        let url = format!("/{}/", name.to_lowercase());
        reader.add(
            &format!("{name}.md"),
            &url,
            section::PROJECT,
            "document.html",
        )?;
    }
    reader.guides()?;
    for layer in LAYERS {
        reader.layer(layer)?;
    }
    reader
        .into
        .folder(root, "docs/blog", "/blog/", Kind::Post)?;
    for file in PLAIN {
        reader.plain(file)?;
    }
    for (url, template, title, summary) in [
        (
            "/crates/",
            "crates.html",
            "Crates",
            "All crates of Morgana, layer by layer.",
        ),
        (
            "/status/",
            "status.html",
            "Status",
            "The figures of the virtual machine that serves this page, as they change.",
        ),
    ] {
        reader.into.standing(Standing {
            url: url.into(),
            template: template.into(),
            title: title.into(),
            summary: summary.into(),
            section: title.to_lowercase(),
        });
    }
    LIVE.iter().for_each(|path| reader.into.live(path));
    Ok(())
}

struct Reader<'a> {
    root: &'a Path,
    into: &'a mut Sources,
}

impl Reader<'_> {
    fn guides(&mut self) -> Result<(), Problem> {
        for name in self.names("docs")? {
            let file = format!("docs/{name}");
            match name.strip_suffix(".md") {
                Some("README") => self.add(&file, "/docs/", section::GUIDES, "document.html")?,
                Some(stem) => {
                    let url = format!("/docs/{stem}/");
                    self.add(&file, &url, section::GUIDE, "document.html")?;
                }
                None => {}
            }
        }
        Ok(())
    }

    fn layer(&mut self, layer: &str) -> Result<(), Problem> {
        if !self.root.join(layer).is_dir() {
            return Ok(());
        }
        let file = format!("{layer}/README.md");
        if self.root.join(&file).is_file() {
            self.add(&file, &format!("/{layer}/"), section::LAYER, "crate.html")?;
        }
        for name in self.names(layer)? {
            let file = format!("{layer}/{name}/README.md");
            if self.root.join(&file).is_file() {
                let url = format!("/{layer}/{name}/");
                self.add(&file, &url, section::CRATE, "crate.html")?;
            }
        }
        Ok(())
    }

    fn add(&mut self, file: &str, url: &str, section: &str, template: &str) -> Result<(), Problem> {
        let text = self.read(file)?;
        self.into.document(Document {
            template: template.into(),
            section: section.into(),
            untagged: match section {
                section::CRATE => Untagged::Rust,
                _ => Untagged::Text,
            },
            ..Document::page(file, url, &text)
        });
        Ok(())
    }

    fn plain(&mut self, file: &str) -> Result<(), Problem> {
        let body = self.read(file)?.into_bytes();
        self.into.plain(Plain {
            file: file.into(),
            url: format!("/{file}"),
            content_type: Some(TEXT),
            body,
        });
        Ok(())
    }

    fn read(&self, file: &str) -> Result<String, Problem> {
        let path = self.root.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        fs::read_to_string(&path)
            .map_err(|error| Problem::of_file(file, Fault::Io(path.clone(), error)))
    }

    /// The names in a folder, sorted.
    fn names(&self, folder: &str) -> Result<Vec<String>, Problem> {
        let path = self.root.join(folder);
        println!("cargo::rerun-if-changed={}", path.display());
        let failed = |error| Problem::of_file(folder, Fault::Io(path.clone(), error));
        let mut names = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.push(name.to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }
}
