//! Conditional requests (RFC 9110 §13).

use super::UnixTime;
use super::etag::{EntityTag, tags};
use crate::wire::{Headers, Method, Request};

/// What the preconditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// They hold, or there are none.
    Holds,
    /// The client's copy is good: 304.
    NotModified,
    /// They do not hold: 412.
    Failed,
}

/// Evaluates the preconditions in the order of §13.2.2 against a resource that exists and has these validators.
pub fn evaluate(
    request: &Request<'_>,
    etag: Option<&EntityTag<'_>>,
    modified: Option<UnixTime>,
) -> Precondition {
    if !request.is_conditional() {
        return Precondition::Holds;
    }
    let headers = request.headers();
    let date = |name| headers.only(name).and_then(UnixTime::parse_http_date);
    if headers.first("if-match").is_some() {
        if !listed(&headers, "if-match", etag, |ours, theirs| {
            ours.matches_strongly(theirs)
        }) {
            return Precondition::Failed;
        }
    } else if let (Some(date), Some(modified)) = (date("if-unmodified-since"), modified)
        && modified > date
    {
        return Precondition::Failed;
    }
    let reads = matches!(request.method(), Method::Get | Method::Head);
    if headers.first("if-none-match").is_some() {
        if listed(&headers, "if-none-match", etag, |ours, theirs| {
            ours.matches_weakly(theirs)
        }) {
            return if reads {
                Precondition::NotModified
            } else {
                Precondition::Failed
            };
        }
    } else if reads
        && let (Some(date), Some(modified)) = (date("if-modified-since"), modified)
        && modified <= date
    {
        return Precondition::NotModified;
    }
    Precondition::Holds
}

/// Whether `Range` counts, as far as `If-Range` says (§13.1.5): it must name the content by a strong tag or by its
/// exact date. Such a date counts as strong here because apps take it from what was built, not from a running file.
pub fn range_applies(
    request: &Request<'_>,
    etag: Option<&EntityTag<'_>>,
    modified: Option<UnixTime>,
) -> bool {
    let headers = request.headers();
    let mut conditions = headers.all("if-range");
    match (conditions.next(), conditions.next()) {
        (None, _) => true,
        (Some(condition), None) => match EntityTag::parse_prefix(condition) {
            Some((tag, b"")) => etag.is_some_and(|etag| etag.matches_strongly(&tag)),
            Some(_) => false,
            None => modified.is_some() && UnixTime::parse_http_date(condition) == modified,
        },
        (Some(_), Some(_)) => false,
    }
}

/// Whether the fields of this name are `*` or list the tag. They may come as several lines.
fn listed(
    headers: &Headers<'_>,
    name: &str,
    etag: Option<&EntityTag<'_>>,
    same: impl Fn(&EntityTag<'_>, &EntityTag<'_>) -> bool,
) -> bool {
    headers.all(name).any(|list| {
        list == b"*" || etag.is_some_and(|etag| tags(list).any(|listed| same(etag, &listed)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::HeadLimits;
    use std::format;

    const LIMITS: HeadLimits = HeadLimits {
        head: 8192,
        target: 64,
        headers: 8,
    };
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn with<R>(method: &str, lines: &str, test: impl FnOnce(&Request<'_>) -> R) -> R {
        let mut head = format!("{method} / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n").into_bytes();
        test(&Request::parse(&mut head, &LIMITS).expect("well-formed"))
    }

    #[test]
    fn preconditions_are_evaluated_in_order() {
        use Precondition::{Failed, Holds, NotModified};
        let (tag, modified) = (EntityTag::strong("x"), UnixTime(784_111_777));
        for (method, lines, expected) in [
            ("GET", "X: y", Holds),
            ("GET", "If-None-Match: \"x\"", NotModified),
            ("HEAD", "If-None-Match: \"x\"", NotModified),
            ("PUT", "If-None-Match: \"x\"", Failed),
            ("GET", "If-None-Match: W/\"x\"", NotModified),
            ("GET", "If-None-Match: \"a\", W/\"x\"", NotModified),
            (
                "GET",
                "If-None-Match: \"a\"\r\nIf-None-Match: \"x\"",
                NotModified,
            ),
            ("GET", "If-None-Match: *", NotModified),
            ("PUT", "If-None-Match: *", Failed),
            ("GET", "If-None-Match: \"y\"", Holds),
            ("GET", "If-None-Match: x", Holds),
            (
                "GET",
                &format!("If-None-Match: \"y\"\r\nIf-Modified-Since: {AFTER}"),
                Holds,
            ),
            ("GET", &format!("If-Modified-Since: {SAME}"), NotModified),
            ("GET", &format!("If-Modified-Since: {AFTER}"), NotModified),
            ("GET", &format!("If-Modified-Since: {BEFORE}"), Holds),
            ("PUT", &format!("If-Modified-Since: {SAME}"), Holds),
            ("GET", "If-Modified-Since: yesterday", Holds),
            ("GET", "If-Match: \"x\"", Holds),
            ("GET", "If-Match: *", Holds),
            ("GET", "If-Match: W/\"x\"", Failed),
            ("GET", "If-Match: \"y\"", Failed),
            (
                "GET",
                "If-Match: \"x\"\r\nIf-None-Match: \"x\"",
                NotModified,
            ),
            (
                "GET",
                &format!("If-Match: \"x\"\r\nIf-Unmodified-Since: {BEFORE}"),
                Holds,
            ),
            ("GET", &format!("If-Unmodified-Since: {SAME}"), Holds),
            ("GET", &format!("If-Unmodified-Since: {BEFORE}"), Failed),
        ] {
            let found = with(method, lines, |request| {
                evaluate(request, Some(&tag), Some(modified))
            });
            assert_eq!(found, expected, "{method} {lines}");
        }
        let bare = |lines: &str| with("GET", lines, |request| evaluate(request, None, None));
        assert_eq!(bare("If-None-Match: \"x\""), Holds);
        assert_eq!(bare("If-None-Match: *"), NotModified);
        assert_eq!(bare("If-Match: \"x\""), Failed);
        assert_eq!(bare(&format!("If-Modified-Since: {AFTER}")), Holds);
    }

    #[test]
    fn if_range_needs_a_strong_match() {
        let (strong, weak, modified) = (
            EntityTag::strong("x"),
            EntityTag::weak("x"),
            UnixTime(784_111_777),
        );
        for (lines, tag, expected) in [
            ("X: y", strong, true),
            ("If-Range: \"x\"", strong, true),
            ("If-Range: \"y\"", strong, false),
            ("If-Range: W/\"x\"", strong, false),
            ("If-Range: \"x\"", weak, false),
            ("If-Range: \"x\", \"y\"", strong, false),
            ("If-Range: \"x\"\r\nIf-Range: \"x\"", strong, false),
            ("If-Range: x", strong, false),
            (&format!("If-Range: {SAME}"), strong, true),
            (&format!("If-Range: {AFTER}"), strong, false),
        ] {
            let found = with("GET", lines, |request| {
                range_applies(request, Some(&tag), Some(modified))
            });
            assert_eq!(found, expected, "{lines}");
        }
        assert!(!with("GET", "If-Range: x", |request| range_applies(
            request, None, None
        )));
    }
}
