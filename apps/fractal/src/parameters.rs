//! Numbers in a query.

/// The value of `name` in `name=value&name=value`; `None` if it is not there.
pub(crate) fn value<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn the_first_of_a_name_counts() {
        assert_eq!(value("a=1&b=2&a=3", "a"), Some("1"));
        assert_eq!(value("a=1&b=2", "b"), Some("2"));
        for query in ["", "b", "aa=1", "&&", "=1"] {
            assert_eq!(value(query, "a"), None, "{query}");
        }
    }
}
