//! Ids of headings.

use std::collections::BTreeMap;

/// Hands out the ids of one document's headings: the same ids that the usual forges give them, so that a link works there too.
#[derive(Default, Debug)]
pub(crate) struct Slugs {
    used: BTreeMap<String, usize>,
}

impl Slugs {
    /// The id of the next heading, whose text is `text`.
    pub(crate) fn next(&mut self, text: &str) -> String {
        let base: String = text
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let count = self.used.entry(base.clone()).or_default();
        *count += 1;
        match *count {
            1 => base,
            n => format!("{base}-{}", n - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_and_each_is_given_once() {
        let mut slugs = Slugs::default();
        assert_eq!(
            slugs.next("What works, and what doesn't"),
            "what-works-and-what-doesnt"
        );
        assert_eq!(slugs.next("`xl create` & co"), "xl-create--co");
        assert_eq!(slugs.next("Limits"), "limits");
        assert_eq!(slugs.next("Limits"), "limits-1");
    }
}
