//! The one place where a path from the network becomes a name that an app may look up.

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It does not begin with a slash.
    NotAbsolute,
    /// A percent sign without two hexadecimal digits after it.
    Percent,
    /// It holds, plain or percent-encoded, a control byte or a backslash, or a slash in percent-encoding: bytes on
    /// whose meaning two programs could disagree.
    Ambiguous,
    /// It is no UTF-8 once decoded.
    NotUtf8,
}

impl core::fmt::Display for PathError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::NotAbsolute => "path does not begin with a slash",
            Self::Percent => "malformed percent-encoding",
            Self::Ambiguous => "control byte, backslash or encoded slash in the path",
            Self::NotUtf8 => "path is not UTF-8",
        })
    }
}

impl core::error::Error for PathError {}

/// Decodes and normalises a path in place, which only ever gets shorter.
///
/// Percent-encoding is decoded once (RFC 3986 §2.1), repeated slashes become one, and then `.` and `..` segments are
/// resolved (§5.2.4), so that encoded dots count as dots. `..` at the root stays at the root. The result begins with
/// a slash, holds no `.`, `..` or empty segment but perhaps a last one, no control byte and no backslash: joined to a
/// folder it can't leave that folder.
pub fn normalise(path: &mut [u8]) -> Result<&str, PathError> {
    if path.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    // `path[..kept]` is normal but for its last segment, which begins at `segment`.
    let (mut kept, mut segment, mut next) = (1, 1, 1);
    loop {
        let (byte, separates) = match path.get(next) {
            None => break,
            Some(b'%') => {
                let byte = match path.get(next + 1..next + 3) {
                    Some(&[high, low]) => {
                        hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low)
                    }
                    _ => None,
                };
                next += 3;
                (byte.ok_or(PathError::Percent)?, false)
            }
            Some(&byte) => {
                next += 1;
                (byte, byte == b'/')
            }
        };
        if separates {
            (kept, segment) = close_segment(path, segment, kept);
        } else if byte < b' ' || matches!(byte, b'/' | b'\\' | 0x7f) {
            return Err(PathError::Ambiguous);
        } else {
            path[kept] = byte;
            kept += 1;
        }
    }
    if let b"." | b".." = &path[segment..kept] {
        (kept, _) = close_segment(path, segment, kept);
    }
    core::str::from_utf8(&path[..kept]).map_err(|_| PathError::NotUtf8)
}

/// Ends the segment `path[segment..kept]` with a slash, or takes it away if it is empty or made of dots. Answers the
/// new length and where the next segment begins, which are the same place.
fn close_segment(path: &mut [u8], segment: usize, kept: usize) -> (usize, usize) {
    let end = match &path[segment..kept] {
        b"" | b"." => segment,
        // The byte before a segment is its slash; the root's is the first byte of all.
        b".." => path[..segment - 1]
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(1, |slash| slash + 1),
        _ => {
            // There is room: at least this slash was read after what is kept.
            path[kept] = b'/';
            kept + 1
        }
    };
    (end, end)
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::borrow::ToOwned;
    use std::string::String;

    fn normal(path: &[u8]) -> Result<String, PathError> {
        normalise(&mut path.to_owned()).map(ToOwned::to_owned)
    }

    #[test]
    fn paths_become_normal() {
        for (raw, expected) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("//a///b//", "/a/b/"),
            ("/./a/./b/.", "/a/b/"),
            ("/a/../b", "/b"),
            ("/a/b/../../c", "/c"),
            ("/a/..", "/"),
            ("/..", "/"),
            ("/../../../etc/passwd", "/etc/passwd"),
            ("/%2e%2e/%2E./.%2e/etc", "/etc"),
            ("/a/%2e", "/a/"),
            ("/...", "/..."),
            ("/..a/.b", "/..a/.b"),
            ("/%61%20b", "/a b"),
            ("/%2525", "/%25"),
            ("/%c3%a9", "/é"),
            ("/a/b/..//..///x", "/x"),
        ] {
            assert_eq!(normal(raw.as_bytes()).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn ambiguous_and_malformed_paths_are_refused() {
        for (raw, error) in [
            (&b""[..], PathError::NotAbsolute),
            (b"a", PathError::NotAbsolute),
            (b"*", PathError::NotAbsolute),
            (b"/%", PathError::Percent),
            (b"/%2", PathError::Percent),
            (b"/%g0", PathError::Percent),
            (b"/%+1", PathError::Percent),
            (b"/a%2fb", PathError::Ambiguous),
            (b"/..%2F..%2Fetc", PathError::Ambiguous),
            (b"/..\\..", PathError::Ambiguous),
            (b"/%5c..", PathError::Ambiguous),
            (b"/%00", PathError::Ambiguous),
            (b"/a%0d%0ab", PathError::Ambiguous),
            (b"/%7f", PathError::Ambiguous),
            (b"/%ff", PathError::NotUtf8),
            (b"/%c0%ae%c0%ae/", PathError::NotUtf8),
        ] {
            assert_eq!(
                normal(raw),
                Err(error),
                "{}",
                std::string::String::from_utf8_lossy(raw)
            );
        }
    }

    proptest! {
        #[test]
        fn a_normal_path_cannot_leave_its_folder(raw in "/?([./%a-c\\\\]|%2[eEfF5]|%[0-9a-f]{2}|é){0,40}") {
            if let Ok(path) = normal(raw.as_bytes()) {
                prop_assert!(path.len() <= raw.len());
                let segments = path.strip_prefix('/').expect("begins with a slash");
                let count = segments.split('/').count();
                for (index, segment) in segments.split('/').enumerate() {
                    prop_assert!(segment != "." && segment != "..");
                    prop_assert!(!segment.is_empty() || index + 1 == count);
                }
                prop_assert!(path.chars().all(|character| character >= ' ' && character != '\\' && character != '\x7f'));
                if !path.contains('%') {
                    prop_assert_eq!(normal(path.as_bytes()), Ok(path.clone()));
                }
            }
        }

        #[test]
        fn any_bytes_are_safe(raw in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = normal(&raw);
        }
    }
}
