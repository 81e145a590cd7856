//! Names of nodes.

use core::fmt;

/// The longest absolute path in bytes (io/xs_wire.h, `XENSTORE_ABS_PATH_MAX`).
pub const ABSOLUTE_PATH_MAX: usize = 3072;

/// The longest relative path in bytes (io/xs_wire.h, `XENSTORE_REL_PATH_MAX`).
pub const RELATIVE_PATH_MAX: usize = 2048;

/// What a path may be made of.
const ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let it = byte as u8;
        allowed[byte] = it.is_ascii_alphanumeric() || matches!(it, b'-' | b'/' | b'_' | b'@');
        byte += 1;
    }
    allowed
};

/// A path by the rules: absolute (`/local/domain/3/name`), relative to the domain's home (`name`), or, for watches only, the name of a
/// special event (`@releaseDomain`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Path<'a>(&'a str);

/// Why a text is not a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathError {
    /// There is nothing.
    Empty,
    /// More than [`ABSOLUTE_PATH_MAX`], or [`RELATIVE_PATH_MAX`] if relative.
    TooLong,
    /// A character other than letters, digits and `-/_@`.
    BadCharacter,
    /// `//`, or `/` at the end.
    EmptyPart,
    /// It begins with `@`, but is not for a watch.
    Special,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the path is empty",
            Self::TooLong => "the path is too long",
            Self::BadCharacter => "the path has a character that is not allowed",
            Self::EmptyPart => "the path has an empty part",
            Self::Special => "only a watch can have a path that begins with @",
        })
    }
}

impl core::error::Error for PathError {}

impl<'a> Path<'a> {
    /// The path of a node.
    ///
    /// # Errors
    ///
    /// [`PathError`].
    pub fn parse(text: &'a str) -> Result<Self, PathError> {
        if text.starts_with('@') {
            return Err(PathError::Special);
        }
        Self::parse_watch(text)
    }

    /// What a watch can be set on: a node's path, or a special event.
    ///
    /// # Errors
    ///
    /// [`PathError`].
    pub fn parse_watch(text: &'a str) -> Result<Self, PathError> {
        let max = if text.starts_with('/') {
            ABSOLUTE_PATH_MAX
        } else {
            RELATIVE_PATH_MAX
        };
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > max {
            return Err(PathError::TooLong);
        }
        if !text.bytes().all(|byte| ALLOWED[usize::from(byte)]) {
            return Err(PathError::BadCharacter);
        }
        let bytes = text.as_bytes();
        let has_empty_part = bytes.windows(2).any(|two| two == b"//");
        if has_empty_part || (text.len() > 1 && text.ends_with('/')) {
            return Err(PathError::EmptyPart);
        }
        Ok(Self(text))
    }

    /// The text.
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether it begins at the root.
    pub fn is_absolute(self) -> bool {
        self.0.starts_with('/')
    }

    /// Whether it names a special event.
    pub fn is_special(self) -> bool {
        self.0.starts_with('@')
    }

    /// The parts between slashes; the root has none.
    pub fn parts(self) -> impl Iterator<Item = &'a str> {
        let mut rest = self.0;
        // Parts are short: to look at each byte is faster than the searches of `str`.
        core::iter::from_fn(move || {
            let start = usize::from(rest.starts_with('/'));
            let after = rest.get(start..).filter(|after| !after.is_empty())?;
            let end = after.bytes().position(|byte| byte == b'/');
            let (part, behind) = after.split_at(end.unwrap_or(after.len()));
            rest = behind;
            Some(part)
        })
    }

    /// The path of the node above; `None` for the root, and for a relative path of one part.
    pub fn parent(self) -> Option<Self> {
        match self.0.bytes().rposition(|byte| byte == b'/')? {
            0 if self.0.len() == 1 => None,
            0 => Some(Self("/")),
            at => Some(Self(&self.0[..at])),
        }
    }

    /// The path of an absolute path's first `count` parts; the root for none, and the path itself if it has no more.
    pub fn first(self, count: usize) -> Self {
        if count == 0 && self.is_absolute() {
            return Self("/");
        }
        let bytes = self.0.bytes().enumerate();
        let slashes = bytes.filter(|&(_, byte)| byte == b'/');
        let end = slashes.map(|(at, _)| at).nth(count);
        Self(end.map_or(self.0, |end| &self.0[..end]))
    }

    /// Whether `self` is `other` or lies below it, by xenstore's sense of "child".
    pub fn is_at_or_below(self, other: Path<'_>) -> bool {
        match self.0.strip_prefix(other.0) {
            Some(rest) => rest.is_empty() || rest.starts_with('/') || other.0 == "/",
            None => false,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_rules_of_the_protocol() {
        for good in ["/", "/a", "a", "a/b", "/a/B-9_@/c", "device/vif/0"] {
            assert_eq!(Path::parse(good).map(Path::as_str), Ok(good));
        }
        for (bad, why) in [
            ("", PathError::Empty),
            ("//", PathError::EmptyPart),
            ("/a/", PathError::EmptyPart),
            ("a/", PathError::EmptyPart),
            ("/a//b", PathError::EmptyPart),
            ("/a b", PathError::BadCharacter),
            ("/a\0", PathError::BadCharacter),
            ("/ä", PathError::BadCharacter),
            ("@releaseDomain", PathError::Special),
        ] {
            assert_eq!(Path::parse(bad), Err(why), "{bad:?}");
        }
        assert!(Path::parse_watch("@releaseDomain").is_ok_and(Path::is_special));
    }

    #[test]
    fn lengths_are_bounded() {
        let long = "/".to_string() + &"a".repeat(ABSOLUTE_PATH_MAX);
        assert_eq!(Path::parse(&long), Err(PathError::TooLong));
        assert!(Path::parse(&long[..ABSOLUTE_PATH_MAX]).is_ok());
        assert_eq!(
            Path::parse(&long[1..RELATIVE_PATH_MAX + 2]),
            Err(PathError::TooLong)
        );
        assert!(Path::parse(&long[1..RELATIVE_PATH_MAX + 1]).is_ok());
    }

    #[test]
    fn relations_between_paths() {
        let path = |text| Path::parse(text).unwrap();
        assert_eq!(path("/a/b").parent(), Some(path("/a")));
        assert_eq!(path("/a").parent(), Some(path("/")));
        assert_eq!(path("/").parent(), None);
        assert_eq!(path("a").parent(), None);
        assert_eq!(path("/").parts().count(), 0);
        assert!(path("/a/b").parts().eq(["a", "b"]));
        for (count, first) in ["/", "/a", "/a/b", "/a/b"].into_iter().enumerate() {
            assert_eq!(path("/a/b").first(count), path(first));
        }
        assert!(path("/a/b").is_at_or_below(path("/a")));
        assert!(path("/a/b").is_at_or_below(path("/")));
        assert!(path("/a").is_at_or_below(path("/a")));
        assert!(!path("/ab").is_at_or_below(path("/a")));
        assert!(!path("/a").is_at_or_below(path("/a/b")));
    }
}
