//! The file tree of the testbed's dom0: chosen files of the packages, the libraries that they need, our own scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use object::Endianness;
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use super::cpio::{Archive, Node};

/// An entry of the tree.
#[derive(Clone, Debug)]
enum Entry {
    Folder,
    Copy(PathBuf, u32),
    Text(u32, Vec<u8>),
    Link(String),
}

/// A tree that is put together before it is packed. Paths are relative to the root and follow the merged /usr layout.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    entries: BTreeMap<String, Entry>,
}

/// The folders that are links into /usr.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// What no dom0 of a testbed reads.
const UNREAD: [&str; 7] = [
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/locale/",
    "usr/share/info/",
    "usr/share/lintian/",
    "usr/share/bash-completion/",
    "usr/share/bug/",
];

impl Tree {
    /// A tree with the links of the merged /usr and the folders that a system mounts upon.
    pub(crate) fn new() -> Tree {
        let mut tree = Tree::default();
        for name in MERGED {
            tree.folder(&format!("usr/{name}"));
            tree.link(name, &format!("usr/{name}"));
        }
        for name in [
            "dev",
            "proc",
            "sys",
            "run",
            "tmp",
            "root",
            "etc",
            "var/log/xen/console",
            "var/lib/xen",
            "var/lib/xenstored",
        ] {
            tree.folder(name);
        }
        tree.link("var/run", "/run");
        tree.link("var/lock", "/run/lock");
        tree
    }

    /// Adds a folder and those above it.
    pub(crate) fn folder(&mut self, path: &str) {
        let mut at = 0;
        while let Some(next) = path[at..].find('/') {
            self.entries
                .entry(path[..at + next].to_owned())
                .or_insert(Entry::Folder);
            at += next + 1;
        }
        self.entries.entry(path.to_owned()).or_insert(Entry::Folder);
    }

    fn parents(&mut self, path: &str) {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.folder(above);
        }
    }

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.parents(path);
        self.entries
            .insert(path.to_owned(), Entry::Link(target.to_owned()));
    }

    /// Adds a file with this content.
    pub(crate) fn text(&mut self, path: &str, mode: u32, content: &str) {
        self.parents(path);
        self.entries.insert(
            path.to_owned(),
            Entry::Text(mode, content.as_bytes().to_vec()),
        );
    }

    /// Whether there is something at `path`.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// All paths.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Adds all that is at or below `path` of an unpacked `root`, where `wanted` accepts it; what is there already stays.
    pub(crate) fn graft(
        &mut self,
        root: &Path,
        path: &str,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        let source = root.join(path);
        let metadata = source
            .symlink_metadata()
            .with_context(|| format!("the packages have no /{path} (a new version?)"))?;
        let place = merged(path);
        if metadata.is_dir() {
            let listing = fs::read_dir(&source)
                .with_context(|| format!("cannot read {}", source.display()))?;
            for item in listing {
                let name = item?.file_name();
                let Some(name) = name.to_str() else { continue };
                let below = if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}/{name}")
                };
                self.graft(root, &below, wanted)?;
            }
            return Ok(());
        }
        if UNREAD.iter().any(|prefix| place.starts_with(prefix))
            || !wanted(&place)
            || self.contains(&place)
        {
            return Ok(());
        }
        self.parents(&place);
        let entry = if metadata.is_symlink() {
            let target = fs::read_link(&source)
                .with_context(|| format!("cannot read the link {}", source.display()))?;
            Entry::Link(target.to_string_lossy().into_owned())
        } else {
            Entry::Copy(source, metadata.permissions().mode())
        };
        self.entries.insert(place, entry);
        Ok(())
    }

    /// Adds the shared libraries that the tree's programs name, from `root`, until none is missing.
    pub(crate) fn libraries(&mut self, root: &Path) -> Result<()> {
        let mut seen = BTreeSet::new();
        loop {
            let sources: Vec<PathBuf> = self
                .entries
                .values()
                .filter_map(|entry| match entry {
                    Entry::Copy(source, _) if !seen.contains(source) => Some(source.clone()),
                    _ => None,
                })
                .collect();
            if sources.is_empty() {
                return Ok(());
            }
            for source in sources {
                for name in needed(&source)? {
                    self.library(root, &name)?;
                }
                seen.insert(source);
            }
        }
    }

    /// Adds one library, with the file that its name is a link to.
    pub(crate) fn library(&mut self, root: &Path, name: &str) -> Result<()> {
        const PLACES: [&str; 5] = [
            "lib/x86_64-linux-gnu",
            "usr/lib/x86_64-linux-gnu",
            "lib64",
            "usr/lib64",
            "usr/lib/xen-4.17/lib/x86_64-linux-gnu",
        ];
        for place in PLACES {
            let path = format!("{place}/{name}");
            let Ok(metadata) = root.join(&path).symlink_metadata() else {
                continue;
            };
            self.graft(root, &path, &|_| true)?;
            if metadata.is_symlink() {
                let target = fs::read_link(root.join(&path))?;
                if let Some(target) = target.file_name().and_then(|name| name.to_str()) {
                    return self.library(root, target);
                }
            }
            return Ok(());
        }
        bail!("no package has the library {name}")
    }

    /// Packs the tree.
    pub(crate) fn pack<W: Write>(&self, out: W) -> Result<W> {
        let mut archive = Archive::new(out);
        for (path, entry) in &self.entries {
            match entry {
                Entry::Folder => archive.add(path, Node::Folder)?,
                Entry::Link(target) => archive.add(path, Node::Link(target))?,
                Entry::Text(mode, content) => archive.add(path, Node::File(*mode, content))?,
                Entry::Copy(source, mode) => {
                    let content = fs::read(source)
                        .with_context(|| format!("cannot read {}", source.display()))?;
                    archive.add(path, Node::File(*mode, &content))?;
                }
            }
        }
        Ok(archive.finish()?)
    }
}

/// Where a path of a package lies in the merged layout.
fn merged(path: &str) -> String {
    let first = path.split('/').next().unwrap_or(path);
    if MERGED.contains(&first) {
        format!("usr/{path}")
    } else {
        path.to_owned()
    }
}

/// The libraries that an ELF file names; none for any other file.
fn needed(path: &Path) -> Result<Vec<String>> {
    let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !data.starts_with(b"\x7fELF\x02") {
        return Ok(Vec::new());
    }
    names(&data).with_context(|| format!("{} is no proper ELF file", path.display()))
}

fn names(data: &[u8]) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, data)?;
    let mut found = Vec::new();
    for segment in segments {
        let Some(entries) = segment.dynamic(endian, data)? else {
            continue;
        };
        let sections = header.sections(endian, data)?;
        let Some((_, link)) = sections.dynamic(endian, data)? else {
            continue;
        };
        let strings = sections.strings(endian, data, link)?;
        for entry in entries {
            if entry.tag32(endian) == Some(DT_NEEDED) {
                found.push(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Tree, merged};

    #[test]
    fn moves_into_usr() {
        assert_eq!(merged("lib/modules/x"), "usr/lib/modules/x");
        assert_eq!(merged("etc/xen"), "etc/xen");
        assert_eq!(merged("library"), "library");
    }

    #[test]
    fn makes_the_folders_above() {
        let mut tree = Tree::default();
        tree.text("a/b/c", 0o644, "x");
        assert_eq!(tree.paths().collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
    }
}
