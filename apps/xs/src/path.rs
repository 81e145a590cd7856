//! Paths of the command line.

use std::ffi::OsStr;

use morgana_xenstore_client::{Path, PathError};

use crate::escape;
use crate::failure::Failure;

/// Which paths may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Of nodes.
    Node,
    /// Of nodes, and special events such as `@releaseDomain`.
    Watch,
}

/// Checks a path before anything is asked. A slash at its end, which shells and people leave there, is taken off.
pub(crate) fn check(text: &OsStr, kind: Kind) -> Result<String, Failure> {
    let said = escape::plain(text.as_encoded_bytes());
    let refuse = |why: PathError| Failure::Usage(format!("{said}: {why}"));
    let text = text
        .to_str()
        .ok_or_else(|| refuse(PathError::BadCharacter))?;
    let trimmed = text.trim_end_matches('/');
    let path = if trimmed.is_empty() && text.starts_with('/') {
        "/"
    } else {
        trimmed
    };
    let parsed = match kind {
        Kind::Node => Path::parse(path),
        Kind::Watch => Path::parse_watch(path),
    };
    Ok(parsed.map_err(refuse)?.to_string())
}

/// Checks several.
pub(crate) fn check_all<T: AsRef<OsStr>>(texts: &[T], kind: Kind) -> Result<Vec<String>, Failure> {
    let checked = texts.iter().map(|text| check(text.as_ref(), kind));
    checked.collect()
}

/// The path of a node's child.
pub(crate) fn child(parent: &str, name: &str) -> String {
    let slash = if parent.ends_with('/') { "" } else { "/" };
    format!("{parent}{slash}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_end_are_taken_off_and_nonsense_is_refused() {
        for (given, path) in [
            ("/", "/"),
            ("//", "/"),
            ("/a/", "/a"),
            ("a", "a"),
            ("/a/b", "/a/b"),
        ] {
            assert_eq!(check(OsStr::new(given), Kind::Node).unwrap(), path);
        }
        for bad in ["", "/a b", "/a//b", "@releaseDomain", "/\x1b[31m"] {
            let said = check(OsStr::new(bad), Kind::Node).unwrap_err().to_string();
            assert!(!said.contains('\x1b'), "{said}");
        }
        assert!(check(OsStr::new("@releaseDomain"), Kind::Watch).is_ok());
        assert_eq!(child("/", "a"), "/a");
        assert_eq!(child("/a", "b"), "/a/b");
    }
}
