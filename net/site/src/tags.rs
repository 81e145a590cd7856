//! The tags of an HTML page, as far as checking links and policies needs them.

/// An opening tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tag<'a> {
    pub(crate) name: &'a str,
    /// Names and values as they are written; a value is empty where there is none.
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.attributes
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }
}

/// The opening tags of `html`, in order. Comments are skipped.
pub(crate) fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (name, behind) = split(rest, |c| c.is_ascii_whitespace() || c == '>' || c == '/');
        let (attributes, behind) = attributes(behind);
        tags.push(Tag { name, attributes });
        rest = behind;
    }
    tags
}

/// The attributes up to the tag's end, and what is behind it.
fn attributes(mut rest: &str) -> (Vec<(&str, &str)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return (found, rest);
        }
        if let Some(behind) = rest.strip_prefix('>') {
            return (found, behind);
        }
        let (name, behind) = split(rest, |c| c.is_ascii_whitespace() || "=>/".contains(c));
        // A lone `=` is taken for a name, so that each turn takes something.
        let (name, behind) = match name.is_empty() {
            true => rest.split_at(1),
            false => (name, behind),
        };
        let Some(value) = behind.trim_start().strip_prefix('=') else {
            found.push((name, ""));
            rest = behind;
            continue;
        };
        let value = value.trim_start();
        let (value, behind) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inner = &value[1..];
                let (value, behind) = split(inner, |c| c == quote);
                (value, behind.get(1..).unwrap_or(""))
            }
            _ => split(value, |c| c.is_ascii_whitespace() || c == '>'),
        };
        found.push((name, value));
        rest = behind;
    }
}

fn split(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(end).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_and_attributes() {
        let found =
            tags("<!doctype html><!-- <a> --><a href=\"/x>y\" CLASS=z hidden>1 < 2</a><br/>");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, "a");
        assert_eq!(
            found[0].attributes,
            [("href", "/x>y"), ("CLASS", "z"), ("hidden", "")]
        );
        assert_eq!(found[0].value("class"), Some("z"));
        assert_eq!(found[1].name, "br");
    }

    proptest! {
        #[test]
        fn no_page_is_too_strange(html in "[<>a='\"/! \n-é]{0,60}") {
            tags(&html);
        }
    }
}
