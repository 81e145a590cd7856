//! What iperf3 says of a test that it wants, as JSON; as much of it as matters here.

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// The client, as usual.
    In,
    /// We do (`iperf3 -R`).
    Out,
}

/// Finds the direction.
pub(crate) fn direction(json: &str) -> Direction {
    let is_true = |value: &str| value.trim_start().starts_with("true");
    match value(json, "reverse") {
        Some(value) if is_true(value) => Direction::Out,
        _ => Direction::In,
    }
}

/// What stands behind `"name":`.
fn value<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    json.split('"')
        .zip(json.split('"').skip(1))
        .find(|(key, _)| *key == name)
        .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
}
