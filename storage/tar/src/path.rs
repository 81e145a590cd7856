//! Paths as they are found by.

use alloc::boxed::Box;
use alloc::string::String;

use crate::Fault;
use crate::limits::PATH_MAX;

/// The path of an entry: `prefix/name`, without empty and `.` parts. Empty for the root itself.
pub(crate) fn normalised(prefix: &[u8], name: &[u8]) -> Result<Box<str>, Fault> {
    if name.is_empty() || prefix.len() + name.len() > PATH_MAX {
        return Err(Fault::Path);
    }
    let mut path = String::with_capacity(prefix.len() + name.len() + 1);
    for part in [prefix, name] {
        let part = core::str::from_utf8(part).map_err(|_| Fault::Path)?;
        for name in part.split('/') {
            match name {
                "" | "." => {}
                ".." => return Err(Fault::Path),
                _ if name.contains('\0') => return Err(Fault::Path),
                _ => {
                    if !path.is_empty() {
                        path.push('/');
                    }
                    path.push_str(name);
                }
            }
        }
    }
    Ok(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_form() {
        for (prefix, name, expected) in [
            ("", "a", "a"),
            ("", "./a/", "a"),
            ("", "/a//b/./c", "a/b/c"),
            ("x/y", "z", "x/y/z"),
            ("", "./", ""),
            ("", "a..b/...", "a..b/..."),
        ] {
            let path = normalised(prefix.as_bytes(), name.as_bytes());
            assert_eq!(path.as_deref(), Ok(expected));
        }
        for (prefix, name) in [
            (&b""[..], &b""[..]),
            (b"", b".."),
            (b"..", b"a"),
            (b"", b"a/../b"),
            (b"", b"\xff"),
            (b"", b"a\0b"),
            (b"", &[b'a'; 1025]),
        ] {
            assert_eq!(normalised(prefix, name), Err(Fault::Path));
        }
    }
}
