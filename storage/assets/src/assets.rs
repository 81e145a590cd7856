//! A sorted set of files and the search in it.

use crate::Asset;

/// A set of files, sorted by path.
#[derive(Clone, Copy, Debug)]
pub struct Assets {
    files: &'static [Asset],
}

/// What a path names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// This file.
    Asset(&'static Asset),
    /// A folder that was asked for without its closing slash: here is the path of its index page.
    Redirect(&'static str),
    /// Nothing.
    Missing,
}

impl Assets {
    /// The set of `files`.
    ///
    /// # Panics
    ///
    /// If they are not sorted by path in byte order, or a path occurs twice. In a `static` that is an error of the compiler.
    pub const fn new(files: &'static [Asset]) -> Self {
        let mut index = 1;
        while index < files.len() {
            let [before, after] = [files[index - 1].path, files[index].path];
            assert!(
                precedes(before.as_bytes(), after.as_bytes()),
                "assets have to be sorted by path, each path once"
            );
            index += 1;
        }
        Self { files }
    }

    /// What `path` names. It is compared byte by byte: cut off a query and decode escapes before.
    pub fn find(&self, path: &str) -> Found {
        if let Ok(index) = self.search(path.bytes()) {
            return Found::Asset(&self.files[index]);
        }
        match self.search(path.bytes().chain([b'/'])) {
            Ok(index) => Found::Redirect(self.files[index].path),
            Err(_) => Found::Missing,
        }
    }

    /// All files, sorted by path.
    pub const fn files(&self) -> &'static [Asset] {
        self.files
    }

    /// How many bytes of the image the files' contents take.
    pub fn stored_bytes(&self) -> usize {
        self.files
            .iter()
            .map(|file| file.content.stored_bytes())
            .sum()
    }

    fn search(&self, path: impl Iterator<Item = u8> + Clone) -> Result<usize, usize> {
        self.files
            .binary_search_by(|file| file.path.bytes().cmp(path.clone()))
    }
}

/// Whether `a` comes before `b` in byte order. `Ord` is not const yet.
const fn precedes(a: &[u8], b: &[u8]) -> bool {
    let mut index = 0;
    while index < a.len() && index < b.len() {
        if a[index] != b[index] {
            return a[index] < b[index];
        }
        index += 1;
    }
    a.len() < b.len()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::Content;
    use std::string::String;

    const fn file(path: &'static str) -> Asset {
        Asset {
            path,
            content_type: "text/plain",
            etag: "0",
            modified_unix_seconds: None,
            content: Content::Plain(path.as_bytes()),
        }
    }

    static SET: Assets = Assets::new(&[
        file("/"),
        file("/a"),
        file("/a/"),
        file("/a/b/"),
        file("/ab"),
        file("/style.css"),
    ]);

    #[test]
    fn each_file_is_found_by_its_own_path() {
        for asset in SET.files() {
            assert_eq!(SET.find(asset.path), Found::Asset(asset));
        }
    }

    #[test]
    fn a_folder_without_its_slash_redirects() {
        assert_eq!(SET.find("/a/b"), Found::Redirect("/a/b/"));
        assert_eq!(SET.find(""), Found::Redirect("/"));
        assert!(
            matches!(SET.find("/a"), Found::Asset(_)),
            "a file of that name comes first"
        );
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let long: String = "/a".repeat(10_000);
        for path in [
            "//",
            "/A",
            "/a/b/c",
            "/style.css/",
            "/a\0",
            "\u{fffd}",
            &long,
        ] {
            assert_eq!(SET.find(path), Found::Missing, "{path}");
        }
    }

    #[test]
    #[should_panic = "sorted"]
    fn a_set_out_of_order_is_refused() {
        static WRONG: [Asset; 2] = [file("/b"), file("/a")];
        Assets::new(&WRONG);
    }

    #[test]
    #[should_panic = "sorted"]
    fn a_path_that_occurs_twice_is_refused() {
        static WRONG: [Asset; 2] = [file("/a"), file("/a")];
        Assets::new(&WRONG);
    }

    #[test]
    fn an_empty_set_has_nothing() {
        static EMPTY: Assets = Assets::new(&[]);
        assert_eq!(EMPTY.find("/"), Found::Missing);
        assert_eq!(EMPTY.stored_bytes(), 0);
        assert_eq!(SET.stored_bytes(), 1 + 2 + 3 + 5 + 3 + 10);
    }
}
