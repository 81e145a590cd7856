//! What can be said of a document before its links are known.

use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};

use super::{Heading, number, parser};
use crate::slug::Slugs;

/// A document's headings and words.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Outline {
    /// The heading of level 1 that the text begins with.
    pub(crate) title: Option<Heading>,
    /// All other headings.
    pub(crate) headings: Vec<Heading>,
    /// The first paragraph, as text.
    pub(crate) summary: String,
    /// All words, code among them.
    pub(crate) words: String,
}

/// Reads the headings and the words of `text`.
pub(crate) fn outline(text: &str) -> Outline {
    let mut slugs = Slugs::default();
    let mut out = Outline::default();
    let mut open: Option<String> = None;
    let mut first = true;
    let mut paragraph = Paragraph::Before;
    for event in parser(text) {
        first &= open.is_some() || !begins_text(&event);
        match event {
            Event::Start(Tag::Heading { .. }) => open = Some(String::new()),
            Event::Start(Tag::Paragraph) if paragraph == Paragraph::Before => {
                paragraph = Paragraph::Inside;
            }
            Event::End(TagEnd::Paragraph) if paragraph == Paragraph::Inside => {
                paragraph = Paragraph::Behind;
            }
            Event::Text(piece) | Event::Code(piece) => {
                out.words.push_str(&piece);
                if let Some(heading) = &mut open {
                    heading.push_str(&piece);
                } else if paragraph == Paragraph::Inside {
                    out.summary.push_str(&piece);
                }
                continue;
            }
            Event::SoftBreak | Event::HardBreak if paragraph == Paragraph::Inside => {
                out.summary.push(' ');
            }
            Event::End(TagEnd::Heading(level)) => {
                let Some(text) = open.take() else { continue };
                let heading = Heading {
                    level: number(level),
                    id: slugs.next(&text),
                    text,
                };
                match level {
                    HeadingLevel::H1 if first => out.title = Some(heading),
                    _ => out.headings.push(heading),
                }
                first = false;
            }
            // Within a word, formatting does not end it.
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Link { .. })
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link) => continue,
            _ => {}
        }
        out.words.push(' ');
    }
    out
}

/// Whether a block begins here that is neither a heading nor a comment.
fn begins_text(event: &Event<'_>) -> bool {
    match event {
        Event::Start(tag) => !matches!(tag, Tag::Heading { .. } | Tag::HtmlBlock),
        Event::Rule => true,
        _ => false,
    }
}

/// Where the reading is, as seen from the first paragraph.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paragraph {
    Before,
    Inside,
    Behind,
}
