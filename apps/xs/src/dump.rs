//! The form of a dump: JSON, a node a line.
//!
//! ```json
//! {"format":"xenstore-dump","version":1,"path":"/vm","nodes":[
//! {"path":"/vm","value":"","permissions":["n0"]},
//! {"path":"/vm/1","base64":"/w==","permissions":["n0","r1"]}
//! ]}
//! ```
//!
//! Nodes come after the node above them. What is not said of a node (value, permissions) is not touched by a load, or is as xenstored makes it.

use serde::{Deserialize, Serialize};

use crate::base64;
use crate::escape::plain;
use crate::failure::Failure;
use crate::json::{self, Record};
use crate::permissions::entry;
use morgana_xenstore_client::{Path, Permission};

/// What the member `format` says.
const FORMAT: &str = "xenstore-dump";
/// What the member `version` says. A reader refuses others.
const VERSION: u32 = 1;

/// The whole text, as it is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dump {
    format: String,
    version: u32,
    path: String,
    nodes: Vec<Record>,
}

/// A node that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// Its whole path.
    pub(crate) path: String,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) permissions: Option<Vec<Permission>>,
}

/// What is before the nodes.
pub(crate) fn head(path: &str) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Head<'a> {
        format: &'a str,
        version: u32,
        path: &'a str,
    }
    let head = Head {
        format: FORMAT,
        version: VERSION,
        path,
    };
    let line = json::line(&head)?;
    // The object goes on.
    let open = line.trim_end_matches('}');
    Ok(format!("{open},\"nodes\":["))
}

/// What is behind the nodes.
pub(crate) const TAIL: &str = "]}\n";

/// Reads a dump; its nodes' paths begin with `target` instead of the dump's own path, if one is given. Every node is checked.
pub(crate) fn parse(text: &[u8], target: Option<&str>) -> Result<(String, Vec<Entry>), Failure> {
    let dump: Dump = serde_json::from_slice(text).map_err(|error| {
        let why = error.to_string();
        Failure::Other(format!("this is no dump: {}", plain(why.as_bytes())))
    })?;
    if dump.format != FORMAT || dump.version != VERSION {
        let format = plain(dump.format.as_bytes());
        let version = dump.version;
        return Err(Failure::Other(format!(
            "this is {format:?} of version {version}, not {FORMAT:?} of version {VERSION}",
            format = format.to_string()
        )));
    }
    let root = checked(&dump.path)?.to_owned();
    let target = target.unwrap_or(&root).to_owned();
    let mut entries = Vec::with_capacity(dump.nodes.len());
    for record in &dump.nodes {
        entries.push(entry_of(record, &root, &target)?);
    }
    Ok((target, entries))
}

fn entry_of(record: &Record, root: &str, target: &str) -> Result<Entry, Failure> {
    let refuse = |why: &str| Failure::Other(format!("{}: {why}", plain(record.path.as_bytes())));
    let path = checked(&record.path)?;
    let rest = below(path, root).ok_or_else(|| refuse("is not below the dump's path"))?;
    let whole = match (rest, target) {
        ("", target) => target.to_owned(),
        (rest, "/") => format!("/{rest}"),
        (rest, target) => format!("{target}/{rest}"),
    };
    checked(&whole)?;
    let value = match (&record.value, &record.base64) {
        (Some(_), Some(_)) => return Err(refuse("has both a value and base64")),
        (Some(text), None) => Some(text.clone().into_bytes()),
        (None, Some(text)) => Some(base64::decode(text).ok_or_else(|| refuse("bad base64"))?),
        (None, None) => None,
    };
    let permissions = match &record.permissions {
        None => None,
        Some(list) if list.is_empty() => return Err(refuse("an empty list of permissions")),
        Some(list) => {
            let entries: Option<Vec<Permission>> = list.iter().map(|text| entry(text)).collect();
            Some(entries.ok_or_else(|| refuse("a permission is not like n0, r5, w7 or b3"))?)
        }
    };
    Ok(Entry {
        path: whole,
        value,
        permissions,
    })
}

fn checked(path: &str) -> Result<&str, Failure> {
    let refuse = |why| Failure::Other(format!("{}: {why}", plain(path.as_bytes())));
    Path::parse(path).map(Path::as_str).map_err(refuse)
}

/// What is behind `root` in `path`, without a slash before it.
fn below<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(root)?;
    if rest.is_empty() || root == "/" {
        return Some(rest);
    }
    rest.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(path: &str, nodes: &str) -> Vec<u8> {
        format!("{}{nodes}{TAIL}", head(path).unwrap()).into_bytes()
    }

    #[test]
    fn a_dump_may_go_elsewhere() {
        let dump = text(
            "/a",
            r#"{"path":"/a"},{"path":"/a/b","value":"x","permissions":["n0","r5"]}"#,
        );
        for (target, root, node) in [
            (None, "/a", "/a/b"),
            (Some("/c/d"), "/c/d", "/c/d/b"),
            (Some("/"), "/", "/b"),
        ] {
            let (path, entries) = parse(&dump, target).unwrap();
            assert_eq!((path.as_str(), entries[0].path.as_str()), (root, root));
            assert_eq!(entries[1].path, node);
            assert_eq!(entries[1].value.as_deref(), Some(&b"x"[..]));
            assert_eq!(entries[1].permissions.as_ref().unwrap().len(), 2);
            assert_eq!(entries[0].value, None);
        }
        let all = text("/", r#"{"path":"/"},{"path":"/b"}"#);
        let (_, entries) = parse(&all, Some("/x")).unwrap();
        assert_eq!(
            (entries[0].path.as_str(), entries[1].path.as_str()),
            ("/x", "/x/b")
        );
    }

    #[test]
    fn nonsense_names_its_node() {
        for (node, said) in [
            (r#"{"path":"/ab"}"#, "/ab: is not below"),
            (r#"{"path":"/a/b c"}"#, "/a/b c: the path has a character"),
            (
                r#"{"path":"/a","value":"x","base64":"eA=="}"#,
                "/a: has both",
            ),
            (r#"{"path":"/a","base64":"eA"}"#, "/a: bad base64"),
            (r#"{"path":"/a","permissions":["x0"]}"#, "/a: a permission"),
            (r#"{"path":"/a","permissions":[]}"#, "/a: an empty list"),
            (r#"{"path":"/a","vaule":"x"}"#, "vaule"),
            (r#"{"path":"/a\u001b[31m"}"#, "/a\\x1b[31m: the path"),
            ("{", "this is no dump"),
        ] {
            let error = parse(&text("/a", node), None).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains('\x1b'), "{error}");
        }
        for bad in [
            &b""[..],
            b"[]",
            br#"{"format":"xenstore-dump","version":2,"path":"/","nodes":[]}"#,
            br#"{"format":"other","version":1,"path":"/","nodes":[]}"#,
            br#"{"format":"xenstore-dump","version":1,"path":"//","nodes":[]}"#,
        ] {
            assert!(parse(bad, None).is_err());
        }
        let long = format!("/{}", "x".repeat(3000));
        let dump = text(
            "/a",
            r#"{"path":"/a/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#,
        );
        assert!(parse(&dump, Some(&long)).is_err(), "too long where it goes");
    }

    proptest! {
        #[test]
        fn reading_ends_whatever_it_is_given(text: Vec<u8>) {
            let _ = parse(&text, Some("/x"));
        }

        #[test]
        fn reading_ends_for_what_nearly_is_a_dump(path in "[/a\u{1b}]{0,4}", node in "[{}\":,a-v\\[\\]/]{0,40}") {
            let _ = parse(&text(&path, &node), None);
        }
    }
}
