//! What a document says about itself before its text.

use crate::problem::Fault;
use crate::{Date, Problem};

/// What stands between two lines `---` at a document's beginning: a line `key: value` each, and comments after `#`.
///
/// It is a part of YAML that needs no YAML to be understood: a value is the rest of its line, with or without quotes around it; `tags` are separated
/// with commas, with or without brackets around them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct FrontMatter {
    /// The title, if the text has none.
    pub(crate) title: Option<String>,
    /// When it was published.
    pub(crate) date: Option<Date>,
    /// When it was last changed in a way that its readers care about.
    pub(crate) updated: Option<Date>,
    /// Who wrote it.
    pub(crate) author: Option<String>,
    /// Its tags, in the order in which it has them.
    pub(crate) tags: Vec<String>,
    /// What it is about, in one or two sentences.
    pub(crate) summary: Option<String>,
    /// Whether it is to be published.
    pub(crate) stage: Stage,
}

/// Whether a document is to be published.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Stage {
    /// It is.
    #[default]
    Final,
    /// Not yet.
    Draft,
}

/// A document taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) front_matter: FrontMatter,
    /// The text behind the front matter.
    pub(crate) text: &'a str,
    /// How many lines the front matter has, the two `---` among them.
    pub(crate) lines: usize,
}

const FENCE: &str = "---";

/// Takes the document `file` apart. All that is wrong with its front matter goes to `problems`.
pub(crate) fn split<'a>(file: &str, document: &'a str, problems: &mut Vec<Problem>) -> Parts<'a> {
    let mut parts = Parts {
        front_matter: FrontMatter::default(),
        text: document,
        lines: 0,
    };
    let mut lines = document.split_inclusive('\n');
    if lines.next().map(str::trim_end) != Some(FENCE) {
        return parts;
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut length = document.find('\n').map_or(document.len(), |at| at + 1);
    for (index, line) in lines.enumerate() {
        length += line.len();
        let number = index + 2;
        if line.trim_end() == FENCE {
            parts.text = &document[length..];
            parts.lines = number;
            return parts;
        }
        if let Err(fault) = read(line.trim(), &mut seen, &mut parts.front_matter) {
            problems.push(Problem::in_line(file, number, fault));
        }
    }
    problems.push(Problem::in_line(file, 1, Fault::FrontMatterIsOpen));
    parts
}

fn read<'a>(line: &'a str, seen: &mut Vec<&'a str>, into: &mut FrontMatter) -> Result<(), Fault> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    let (key, value) = line
        .split_once(':')
        .ok_or_else(|| Fault::NoKey(line.into()))?;
    let (key, value) = (key.trim_end(), unquoted(value.trim())?);
    if seen.contains(&key) {
        return Err(Fault::KeyTwice(key.into()));
    }
    seen.push(key);
    if value.is_empty() {
        return Err(Fault::NoValue(key.into()));
    }
    match key {
        "title" => into.title = Some(value),
        "date" => into.date = Some(day(value)?),
        "updated" => into.updated = Some(day(value)?),
        "author" => into.author = Some(value),
        "summary" => into.summary = Some(value),
        "tags" => into.tags = tags(&value)?,
        "draft" => {
            into.stage = match value.as_str() {
                "true" => Stage::Draft,
                "false" => Stage::Final,
                _ => return Err(Fault::BadDraft(value)),
            }
        }
        _ => return Err(Fault::UnknownKey(key.into())),
    }
    Ok(())
}

/// A value without the quotes around it. In double quotes, `\"` and `\\` stand for the character; in single quotes, `''` for one (YAML 1.2, section 7.3).
fn unquoted(value: &str) -> Result<String, Fault> {
    let Some(quote @ ('"' | '\'')) = value.chars().next() else {
        return Ok(value.into());
    };
    let wrong = || Fault::BadQuotes(value.into());
    let mut out = String::new();
    let mut rest = value[1..].chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if quote == '"' => out.push(rest.next().ok_or_else(wrong)?),
            '\'' if quote == '\'' && rest.peek() == Some(&'\'') => {
                rest.next();
                out.push('\'');
            }
            c if c == quote => {
                return match rest.next() {
                    None => Ok(out),
                    Some(_) => Err(wrong()),
                };
            }
            c => out.push(c),
        }
    }
    Err(wrong())
}

fn day(value: String) -> Result<Date, Fault> {
    Date::parse(&value).ok_or(Fault::BadDate(value))
}

fn tags(value: &str) -> Result<Vec<String>, Fault> {
    let inner = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(value);
    let mut tags: Vec<String> = Vec::new();
    for tag in inner.split(',') {
        let tag = unquoted(tag.trim())?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let good = tag.chars().all(plain) && tag.split('-').all(|part| !part.is_empty());
        if !good {
            return Err(Fault::BadTag(tag));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrong(document: &str) -> Vec<String> {
        let mut problems = Vec::new();
        split("a.md", document, &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_keys() {
        let document = "---\n# about\ntitle: \"A: \\\"b\\\"\"\ndate: 2026-11-20\nupdated: 2026-11-21\nauthor: 'It''s me'\n\
                        tags: [xen, no-std, xen]\nsummary: a # b\ndraft: true\n---\ntext\n";
        let mut problems = Vec::new();
        let parts = split("a.md", document, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!((parts.text, parts.lines), ("text\n", 10));
        let expected = FrontMatter {
            title: Some("A: \"b\"".into()),
            date: Date::parse("2026-11-20"),
            updated: Date::parse("2026-11-21"),
            author: Some("It's me".into()),
            tags: vec!["xen".into(), "no-std".into()],
            summary: Some("a # b".into()),
            stage: Stage::Draft,
        };
        assert_eq!(parts.front_matter, expected);
    }

    #[test]
    fn a_document_needs_none() {
        for document in ["", "# A\n", "text\n---\n", "----\ntitle: A\n"] {
            let mut problems = Vec::new();
            let parts = split("a.md", document, &mut problems);
            assert_eq!((parts.text, parts.lines), (document, 0));
            assert!(problems.is_empty());
        }
    }

    #[test]
    fn each_mistake_names_file_line_and_reason() {
        for (lines, expected) in [
            ("title A\n---\n", "a.md:2: `title A` is no `key: value`"),
            (
                "\ntitle: A\ntitle: B\n---\n",
                "a.md:4: `title` is there twice",
            ),
            ("title:\n---\n", "a.md:2: `title` has no value"),
            (
                "date: 2026-02-30\n---\n",
                "a.md:2: `2026-02-30` is no day: YYYY-MM-DD is wanted",
            ),
            ("tags: a, B\n---\n", "a.md:2: `B` is no tag: "),
            ("tags: a,\n---\n", "a.md:2: `` is no tag: "),
            ("tags: a--b\n---\n", "a.md:2: `a--b` is no tag: "),
            (
                "draft: yes\n---\n",
                "a.md:2: `yes` is neither true nor false",
            ),
            ("title: \"A\n---\n", "a.md:2: \"A: the quotes do not match"),
            (
                "titel: A\n---\n",
                "a.md:2: front matter has no key `titel`: ",
            ),
            (
                "title: A\n",
                "a.md:1: the front matter has no closing `---`",
            ),
        ] {
            let said = wrong(&format!("---\n{lines}"));
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].starts_with(expected), "{said:?}");
        }
    }

    proptest! {
        #[test]
        fn no_document_is_too_strange(document in "(---\n)?[-a-z:'\"\\\\\\[\\], \r\né]{0,60}") {
            let mut problems = Vec::new();
            let parts = split("a.md", &document, &mut problems);
            prop_assert!(document.ends_with(parts.text));
        }
    }
}
