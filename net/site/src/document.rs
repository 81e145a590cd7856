//! What a site is made of.

use crate::Untagged;

/// A Markdown file that becomes a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Its path, relative to the root, with `/` between the parts: links are resolved against it, and problems name it.
    pub file: String,
    /// The page's path. It begins with `/` and mostly ends with one, too.
    pub url: String,
    /// Front matter and Markdown.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// The template that frames it.
    pub template: String,
    /// A word of the site's own, for its templates.
    pub section: String,
    /// What its code blocks are in if they do not say so.
    pub untagged: Untagged,
}

/// What a document is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A page.
    Page,
    /// A post: it has a date, and is in the blog's index and in its feed.
    Post,
}

impl Document {
    /// A page from `file`, in the template `page.html`.
    pub fn page(file: &str, url: &str, text: &str) -> Self {
        Self {
            file: file.into(),
            url: url.into(),
            text: text.into(),
            kind: Kind::Page,
            template: "page.html".into(),
            section: String::new(),
            untagged: Untagged::Text,
        }
    }

    /// A post from `file`, in the template `post.html` and the section `blog`.
    pub fn post(file: &str, url: &str, text: &str) -> Self {
        Self {
            kind: Kind::Post,
            template: "post.html".into(),
            section: "blog".into(),
            ..Self::page(file, url, text)
        }
    }
}

/// A page that is made of a template alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The page's path.
    pub url: String,
    /// The template.
    pub template: String,
    /// The page's title.
    pub title: String,
    /// What it is about, in one sentence.
    pub summary: String,
    /// A word of the site's own, for its templates.
    pub section: String,
}

/// A file that is published as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plain {
    /// Its path, relative to the root: documents may link to it.
    pub file: String,
    /// The path under which it is published.
    pub url: String,
    /// Its media type, where its name does not tell it.
    pub content_type: Option<&'static str>,
    /// Its content.
    pub body: Vec<u8>,
}
