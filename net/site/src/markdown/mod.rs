//! From Markdown to the HTML of an article.

mod code;
mod outline;
mod render;
#[cfg(test)]
mod tests;

use pulldown_cmark::{HeadingLevel, Options, Parser};

pub use code::Untagged;
pub(crate) use outline::{Outline, outline};
pub(crate) use render::{Place, render};

/// A heading of an article.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heading {
    /// From 1 to 6.
    pub level: u8,
    /// What a link to it has behind the `#`.
    pub id: String,
    /// Its text, without formatting.
    pub text: String,
}

/// The text of a document as HTML.
#[derive(Clone, Default, Debug)]
pub struct Article {
    /// Everything before the first heading of level 2, without the title.
    pub lead: String,
    /// Everything from the first heading of level 2 on.
    pub body: String,
    /// What it links to, in the order of the text: paths of the site, and whole addresses elsewhere.
    pub links: Vec<String>,
}

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS);

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, OPTIONS)
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
