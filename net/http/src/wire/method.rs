//! Request methods.

use core::ops::BitOr;

/// A request method that this server knows. CONNECT is not among them, since it is no proxy; neither is TRACE, which
/// would echo credentials back into scripts. Both are answered with 501, as any unknown method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Method {
    /// Transfer the resource (RFC 9110 §9.3.1).
    Get = 1 << 0,
    /// As GET, without the content (§9.3.2).
    Head = 1 << 1,
    /// Process the content (§9.3.3).
    Post = 1 << 2,
    /// Replace the resource (§9.3.4).
    Put = 1 << 3,
    /// Remove the resource (§9.3.5).
    Delete = 1 << 4,
    /// Describe what may be asked of the resource (§9.3.7).
    Options = 1 << 5,
    /// Modify the resource (RFC 5789).
    Patch = 1 << 6,
}

impl Method {
    /// Every method, in the order of `Allow`.
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Options,
        Self::Patch,
    ];

    /// The method of this name. Names are case-sensitive (RFC 9110 §9.1).
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.name().as_bytes() == name)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
        }
    }
}

/// A set of methods, as in `Allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Methods(u8);

impl Methods {
    /// None.
    pub const NONE: Self = Self(0);

    /// GET, HEAD and OPTIONS: what a read-only site allows.
    pub const READ_ONLY: Self =
        Self(Method::Get as u8 | Method::Head as u8 | Method::Options as u8);

    /// Whether `method` is in the set.
    pub const fn contains(self, method: Method) -> bool {
        self.0 & method as u8 != 0
    }

    /// Whether it is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set with `method` added.
    pub const fn with(self, method: Method) -> Self {
        Self(self.0 | method as u8)
    }

    /// The methods of the set.
    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL
            .into_iter()
            .filter(move |&method| self.contains(method))
    }
}

impl BitOr for Methods {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.name().as_bytes()), Some(method));
        }
        for other in ["", "get", "GETT", "TRACE", "CONNECT", "G"] {
            assert_eq!(Method::parse(other.as_bytes()), None);
        }
    }

    #[test]
    fn sets_list_what_they_hold() {
        let set = Methods::READ_ONLY.with(Method::Put);
        let names: std::vec::Vec<_> = set.iter().map(Method::name).collect();
        assert_eq!(names, ["GET", "HEAD", "PUT", "OPTIONS"]);
        assert!(!Methods::READ_ONLY.contains(Method::Post));
        assert_eq!(set | Methods::READ_ONLY, set);
    }
}
