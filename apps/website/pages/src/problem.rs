//! What can be wrong with the documents.

use std::path::PathBuf;
use std::{fmt, io};

/// Why the pages could not be made. It names the file, since its reader is about to mend it.
#[derive(Debug)]
pub enum Problem {
    /// A file could not be read.
    Io(PathBuf, io::Error),
    /// A link to a file that is not published.
    NoSuchPage {
        /// The document with the link, relative to the root.
        file: String,
        /// The link as it is written there.
        link: String,
    },
    /// A link to a heading that the target does not have.
    NoSuchHeading {
        /// The document with the link, relative to the root.
        file: String,
        /// The link as it is written there.
        link: String,
    },
    /// A document without a heading of level 1 as its first line.
    NoTitle(String),
    /// HTML in a document.
    Html {
        /// The document, relative to the root.
        file: String,
        /// The HTML.
        html: String,
    },
    /// A document in `docs/` that `docs/README.md` has no link to.
    Unlisted(String),
    /// A page that could not be put in the set.
    Asset(morgana_assets_build::Error),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::NoSuchPage { file, link } => {
                write!(f, "{file}: the link `{link}` leads to no published file")
            }
            Self::NoSuchHeading { file, link } => {
                write!(f, "{file}: the link `{link}` leads to no heading")
            }
            Self::NoTitle(file) => write!(f, "{file}: the first line is no `# Title`"),
            Self::Html { file, html } => {
                write!(f, "{file}: HTML is not for documents: `{}`", html.trim())
            }
            Self::Unlisted(file) => write!(f, "{file}: docs/README.md has no link to it"),
            Self::Asset(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Problem {}
