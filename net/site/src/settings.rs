//! What a site is, as a whole.

use std::fmt;

/// What a site is, as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Its name.
    pub title: String,
    /// What it is about, in one sentence.
    pub description: String,
    /// Where it will be: feeds and site maps have whole addresses in them.
    pub base: BaseUrl,
    /// The language that it is written in (RFC 5646), such as `en`.
    pub language: String,
    /// Who wrote the posts that do not name their author.
    pub author: String,
    /// What its posts are called, as a whole.
    pub blog_title: String,
    /// What they are about, in one sentence.
    pub blog_description: String,
    /// The path under which its posts are: it begins and ends with `/`.
    pub blog: String,
    /// How many posts a page of the index lists.
    pub posts_per_page: usize,
    /// How many posts the feed has, newest first.
    pub posts_in_feed: usize,
    /// Whether drafts are shown.
    pub drafts: Drafts,
}

impl Settings {
    /// A site of this name at `base`: in English, with its posts under `/blog/`, and without its drafts.
    pub fn new(title: &str, base: BaseUrl) -> Self {
        Self {
            title: title.into(),
            description: String::new(),
            base,
            language: "en".into(),
            author: title.into(),
            blog_title: "Blog".into(),
            blog_description: String::new(),
            blog: "/blog/".into(),
            posts_per_page: 10,
            posts_in_feed: 20,
            drafts: Drafts::Hidden,
        }
    }
}

/// What becomes of drafts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drafts {
    /// They are left out, and links to them are wrong.
    Hidden,
    /// They are pages as others.
    Shown,
}

/// The scheme and the host of a site, without a closing slash: `https://example.org`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseUrl(String);

/// Why a text is no [`BaseUrl`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadBaseUrl(String);

impl BaseUrl {
    /// Reads `http://HOST` or `https://HOST`, with or without a port and a closing slash.
    pub fn new(text: &str) -> Result<Self, BadBaseUrl> {
        let bad = || BadBaseUrl(text.into());
        let bare = text.strip_suffix('/').unwrap_or(text);
        let authority = bare
            .strip_prefix("https://")
            .or_else(|| bare.strip_prefix("http://"))
            .ok_or_else(bad)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        if authority.is_empty() || !authority.chars().all(plain) {
            return Err(bad());
        }
        Ok(Self(bare.into()))
    }

    /// The whole address of `path`, which begins with `/`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The text, without a closing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BadBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no address of a site: https://HOST is wanted",
            self.0
        )
    }
}

impl std::error::Error for BadBaseUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_scheme_and_a_host() {
        for good in [
            "https://example.org",
            "http://127.0.0.1:8080/",
            "https://[2001:db8::1]",
        ] {
            assert_eq!(
                BaseUrl::new(good).unwrap().join("/a/"),
                format!("{}/a/", good.trim_end_matches('/'))
            );
        }
        for bad in [
            "",
            "example.org",
            "ftp://example.org",
            "https://",
            "https://a/b",
            "https://a?b",
            "https://a b",
            "https://a\"",
        ] {
            assert!(BaseUrl::new(bad).is_err(), "{bad}");
        }
    }
}
