//! The request target that a back end gets.

use alloc::string::String;

/// Path and query as they go to a back end: the path as it was understood, decoded, normalised and encoded anew, so that back end and balancer cannot take it for different ones;
/// the query as it came. `None` if there is no memory for it.
pub(crate) fn target(path: &str, query: Option<&str>) -> Option<String> {
    let mut target = String::new();
    let most = 3 * path.len() + query.map_or(0, |query| query.len() + 1);
    target.try_reserve(most).ok()?;
    for &byte in path.as_bytes() {
        if is_plain(byte) {
            target.push(char::from(byte));
        } else {
            target.push('%');
            for digit in [byte >> 4, byte & 15] {
                target.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    Some(target)
}

/// What may stand in a path as it is (RFC 3986 §3.3: pchar, and the slash).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_understood_is_encoded_anew() {
        let of = |path, query| target(path, query).expect("memory");
        assert_eq!(of("/", None), "/");
        assert_eq!(
            of("/a b/\u{e4}%?#", Some("x=%20&y=a?b")),
            "/a%20b/%C3%A4%25%3F%23?x=%20&y=a?b"
        );
        assert_eq!(of("/a+b;c=d,e@f:g", Some("")), "/a+b;c=d,e@f:g?");
        assert_eq!(of("*", None), "*");
    }
}
