//! What pages look like: templates, style sheet, scripts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Problem;
use crate::minimise;
use crate::problem::Fault;

/// Templates, which frame pages, and files that are published as they are.
///
/// A name that ends in `.html` or `.txt` is a template; all others are files. Style sheets and scripts are made small: comments and indentation go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Theme {
    files: BTreeMap<String, String>,
}

const BUILT_IN: [(&str, &str); 15] = [
    ("404.html", include_str!("../theme/404.html")),
    ("base.html", include_str!("../theme/base.html")),
    ("blog.html", include_str!("../theme/blog.html")),
    ("favicon.svg", include_str!("../theme/favicon.svg")),
    ("frame.html", include_str!("../theme/frame.html")),
    ("page.html", include_str!("../theme/page.html")),
    ("parts.html", include_str!("../theme/parts.html")),
    ("post.html", include_str!("../theme/post.html")),
    ("robots.txt", include_str!("../theme/robots.txt")),
    ("search.html", include_str!("../theme/search.html")),
    ("search.js", include_str!("../theme/search.js")),
    ("style.css", include_str!("../theme/style.css")),
    ("tag.html", include_str!("../theme/tag.html")),
    ("tags.html", include_str!("../theme/tags.html")),
    ("toc.html", include_str!("../theme/toc.html")),
];

impl Default for Theme {
    /// The built-in theme.
    fn default() -> Self {
        let files = BUILT_IN.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Self {
            files: files.into(),
        }
    }
}

impl Theme {
    /// Puts `text` in the place of the file `name`, or adds it.
    #[must_use]
    pub fn with(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.into(), text.into());
        self
    }

    /// Puts the files of a folder in the place of those of the same names, or adds them. Tells cargo to watch it.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, Problem> {
        println!("cargo::rerun-if-changed={}", folder.display());
        let failed =
            |error| Problem::of_file(folder.to_string_lossy(), Fault::Io(folder.into(), error));
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            println!("cargo::rerun-if-changed={}", path.display());
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(&path)
                .map_err(|error| Problem::of_file(name.as_ref(), Fault::Io(path.clone(), error)))?;
            self.files.insert(name.into_owned(), text);
        }
        Ok(self)
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// The templates' names and texts.
    pub(crate) fn templates(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(name, _)| is_template(name))
    }

    /// The files' names and what is published of them.
    pub(crate) fn assets(&self) -> impl Iterator<Item = (&str, String)> {
        self.all()
            .filter(|(name, _)| !is_template(name))
            .map(|(name, text)| {
                let body = match name.rsplit('.').next() {
                    Some("css") => minimise::style(text),
                    Some("js") => minimise::script(text),
                    _ => text.to_owned(),
                };
                (name, body)
            })
    }

    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

fn is_template(name: &str) -> bool {
    name.ends_with(".html") || name.ends_with(".txt")
}
