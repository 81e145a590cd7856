//! The set while it is made.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use morgana_assets::content_type;

use crate::Error;
use crate::table::Table;

/// Files to bake into an image.
#[derive(Clone, Default, Debug)]
pub struct Set {
    files: BTreeMap<String, File>,
    modified_unix_seconds: Option<u64>,
}

#[derive(Clone, Debug)]
struct File {
    content_type: &'static str,
    body: Vec<u8>,
}

impl Set {
    /// A set with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file. `path` is the one that requests name; its end tells the media type.
    pub fn add(&mut self, path: &str, body: impl Into<Vec<u8>>) -> Result<(), Error> {
        let kind = content_type(path).ok_or_else(|| Error::UnknownType(path.into()))?;
        self.add_as(path, kind, body)
    }

    /// Adds a file with a media type that its name does not tell.
    pub fn add_as(
        &mut self,
        path: &str,
        content_type: &'static str,
        body: impl Into<Vec<u8>>,
    ) -> Result<(), Error> {
        let path = match path.strip_suffix("/index.html") {
            Some(folder) => format!("{folder}/"),
            None => path.to_owned(),
        };
        // The unreserved characters of RFC 3986, section 2.3: they look the same in every request.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        if !path.starts_with('/') || !path.chars().all(plain) {
            return Err(Error::BadPath(path));
        }
        let file = File {
            content_type,
            body: body.into(),
        };
        match self.files.insert(path.clone(), file) {
            Some(_) => Err(Error::Twice(path)),
            None => Ok(()),
        }
    }

    /// Adds every file below `folder`, and tells cargo to run the build script again when one changes.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), Error> {
        println!("cargo::rerun-if-changed={}", folder.display());
        self.add_below(folder, "")
    }

    fn add_below(&mut self, folder: &Path, prefix: &str) -> Result<(), Error> {
        let failed = |error| Error::Io(folder.into(), error);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let url = format!("{prefix}/{name}");
            if path.is_dir() {
                self.add_below(&path, &url)?;
            } else {
                self.add(&url, fs::read(&path).map_err(|e| Error::Io(path, e))?)?;
            }
        }
        Ok(())
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files' paths and contents, sorted by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(path, file)| (path.as_str(), file.body.as_slice()))
    }

    /// Dates all files with `SOURCE_DATE_EPOCH`, if the environment has it.
    pub fn date_from_environment(&mut self) -> Result<(), Error> {
        println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
        if let Ok(value) = env::var("SOURCE_DATE_EPOCH") {
            let seconds = value.parse().map_err(|_| Error::BadEpoch(value))?;
            self.modified_unix_seconds = Some(seconds);
        }
        Ok(())
    }

    /// All contents one after the other, and the Rust text of the table over them.
    fn render(&self, name: &str) -> (Vec<u8>, String) {
        let mut table = Table::new(name, self.modified_unix_seconds);
        for (path, file) in &self.files {
            table.add(path, file.content_type, &file.body);
        }
        table.finish()
    }

    /// Writes `NAME.bin` and `NAME.rs` into `folder`, for `include!` in a program that depends on `morgana-assets`.
    pub fn write(&self, name: &str, folder: &Path) -> Result<(), Error> {
        let (block, table) = self.render(name);
        for (extension, content) in [("bin", block), ("rs", table.into_bytes())] {
            let path = folder.join(name).with_extension(extension);
            fs::write(&path, content).map_err(|error| Error::Io(path, error))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_depends_on_the_files_alone() {
        let (mut one, mut other) = (Set::new(), Set::new());
        for path in ["/b.txt", "/a.css", "/index.html"] {
            one.add(path, path).unwrap();
        }
        for path in ["/index.html", "/a.css", "/b.txt"] {
            other.add(path, path).unwrap();
        }
        let (block, table) = one.render("SITE");
        assert_eq!((block.clone(), table.clone()), other.render("SITE"));
        let text = String::from_utf8(block).unwrap();
        // Contents, paths and tags, in the order of the paths.
        let hash = crate::entity_tag(b"/index.html");
        assert!(
            text.starts_with(&format!("/index.html/{hash}/a.css/a.css")),
            "{text}"
        );
        assert_eq!(
            table.matches("morgana_assets::Asset {").count(),
            3,
            "{table}"
        );
    }

    #[test]
    fn bad_files_are_refused() {
        let mut set = Set::new();
        set.add("/a.txt", "").unwrap();
        assert!(matches!(set.add("/a.txt", ""), Err(Error::Twice(_))));
        assert!(matches!(set.add("/a b.txt", ""), Err(Error::BadPath(_))));
        assert!(matches!(set.add("a.txt", ""), Err(Error::BadPath(_))));
        assert!(matches!(set.add("/a", ""), Err(Error::UnknownType(_))));
        assert!(set.add_as("/a", "text/plain", "").is_ok());
    }
}
