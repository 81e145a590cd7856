//! A page of a site.

use crate::markdown::{Article, Heading};
use crate::{Date, Kind};

/// A document that was read: what templates show of it.
#[derive(Clone, Debug)]
pub struct Page {
    /// The document, relative to the root.
    pub file: String,
    /// The page's path.
    pub url: String,
    /// The template that frames it.
    pub template: String,
    /// The word that its document has for templates.
    pub section: String,
    /// Its title, as text.
    pub title: String,
    /// What it is about: the front matter's summary, or else the first paragraph, as text.
    pub summary: String,
    /// What only posts have.
    pub post: Option<Post>,
    /// The headings but the title.
    pub headings: Vec<Heading>,
    /// The text as HTML.
    pub article: Article,
    /// All words of the text.
    pub(crate) words: String,
}

/// What a post has besides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Post {
    /// When it was published.
    pub date: Date,
    /// When it was last changed: not before `date`.
    pub updated: Date,
    /// Who wrote it.
    pub author: String,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Page {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self.post {
            Some(_) => Kind::Post,
            None => Kind::Page,
        }
    }

    pub(crate) fn date(&self) -> Option<Date> {
        self.post.as_ref().map(|post| post.date)
    }
}
