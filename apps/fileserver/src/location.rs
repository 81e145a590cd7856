//! Where a redirection leads to.

use alloc::string::String;

/// A path of a folder as it stands in a request, `/` at its end and percent-encoded (RFC 3986, section 2.1), with the query of the request.
///
/// `path` is normalised: it begins with one slash alone, so that no browser takes what follows for a host.
pub(crate) fn folder(path: &str, query: Option<&str>) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut location = String::with_capacity(path.len() + 1);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            location.push(byte.into());
        } else {
            location.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                location.push(DIGITS[usize::from(digit)].into());
            }
        }
    }
    location.push('/');
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    location
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_may_not_hold_is_encoded() {
        assert_eq!(folder("/a", None), "/a/");
        assert_eq!(folder("/a/b c%?", Some("q=1&r")), "/a/b%20c%25%3F/?q=1&r");
        assert_eq!(folder("/ü\n", Some("")), "/%C3%BC%0A/?");
    }
}
