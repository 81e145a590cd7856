//! What can be wrong with what a site is made of.

use std::path::PathBuf;
use std::{fmt, io};

/// Why a site could not be made. It names the file and, where one is to blame, the line: its reader is about to mend it.
#[derive(Debug)]
pub struct Problem {
    /// The file, relative to the root; a page's path, if the page as a whole is wrong.
    pub file: String,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug)]
pub enum Fault {
    /// A file or folder could not be read.
    Io(PathBuf, io::Error),
    /// The front matter has no closing `---`.
    FrontMatterIsOpen,
    /// A line of the front matter is no `key: value`.
    NoKey(String),
    /// A key that front matter does not have.
    UnknownKey(String),
    /// A key that is there twice.
    KeyTwice(String),
    /// A key without a value.
    NoValue(String),
    /// A quoted value that does not end with its quote, or has more behind it.
    BadQuotes(String),
    /// A date that is not `YYYY-MM-DD`, or no day that there is.
    BadDate(String),
    /// A tag with other characters than lower-case letters, digits and hyphens.
    BadTag(String),
    /// `draft` is neither `true` nor `false`.
    BadDraft(String),
    /// A post without a date.
    NoDate,
    /// A page with neither a title in its front matter nor a heading of level 1 first.
    NoTitle,
    /// A heading of level 1 that the document does not begin with.
    LateTitle,
    /// A link to a file that is not published.
    NoSuchPage(String),
    /// A link to a heading that the target does not have.
    NoSuchHeading(String),
    /// A picture without words for those who cannot see it.
    NoAlternative(String),
    /// HTML in a document.
    Html(String),
    /// A template that cannot be read or filled in.
    Template(String),
    /// An address in a page of which the site has nothing.
    DeadLink(String),
    /// Something in a page that a strict security policy forbids: a script or style in the page itself.
    Inline(String),
    /// A page that cannot be put in the set.
    Asset(morgana_assets_build::Error),
}

impl Problem {
    /// A problem of a file as a whole.
    pub fn of_file(file: impl Into<String>, fault: Fault) -> Self {
        Self {
            file: file.into(),
            line: None,
            fault,
        }
    }

    /// A problem in a line.
    pub fn in_line(file: impl Into<String>, line: usize, fault: Fault) -> Self {
        Self {
            file: file.into(),
            line: Some(line),
            fault,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::FrontMatterIsOpen => f.write_str("the front matter has no closing `---`"),
            Self::NoKey(line) => write!(f, "`{line}` is no `key: value`"),
            Self::UnknownKey(key) => write!(
                f,
                "front matter has no key `{key}`: it has title, date, updated, author, tags, summary, draft"
            ),
            Self::KeyTwice(key) => write!(f, "`{key}` is there twice"),
            Self::NoValue(key) => write!(f, "`{key}` has no value"),
            Self::BadQuotes(value) => write!(f, "{value}: the quotes do not match"),
            Self::BadDate(value) => write!(f, "`{value}` is no day: YYYY-MM-DD is wanted"),
            Self::BadTag(tag) => write!(
                f,
                "`{tag}` is no tag: lower-case letters, digits and single hyphens are wanted"
            ),
            Self::BadDraft(value) => write!(f, "`{value}` is neither true nor false"),
            Self::NoDate => f.write_str("a post needs a `date` in its front matter"),
            Self::NoTitle => {
                f.write_str("neither a `title` in the front matter nor a `# Title` first")
            }
            Self::LateTitle => {
                f.write_str("a heading of level 1 is for the beginning of a document")
            }
            Self::NoSuchPage(link) => write!(f, "the link `{link}` leads to no published file"),
            Self::NoSuchHeading(link) => write!(f, "the link `{link}` leads to no heading"),
            Self::NoAlternative(link) => {
                write!(f, "the picture `{link}` has no words: ![words]({link})")
            }
            Self::Html(html) => write!(f, "HTML is not for documents: `{}`", html.trim()),
            Self::Template(error) => f.write_str(error),
            Self::DeadLink(link) => write!(f, "the page leads to {link}, which is not there"),
            Self::Inline(what) => write!(f, "a page holds no script or style of its own: `{what}`"),
            Self::Asset(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Problem {}
