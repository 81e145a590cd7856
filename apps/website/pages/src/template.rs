//! The frame around an article.

use crate::escape::escape;

const PAGE: &str = include_str!("../theme/page.html");
const FRONT: &str = include_str!("../theme/front.html");

/// What the frame shows around an article.
#[derive(Clone, Debug)]
pub(crate) struct Page<'a> {
    /// The page's path.
    pub(crate) url: &'a str,
    /// The title, as text.
    pub(crate) title: &'a str,
    /// One sentence about the page, as text.
    pub(crate) summary: &'a str,
    /// The content, as HTML.
    pub(crate) main: &'a str,
    /// The style sheet's address.
    pub(crate) style: &'a str,
}

impl Page<'_> {
    /// The whole page.
    pub(crate) fn render(&self) -> String {
        let title = match self.url {
            "/" => format!("{}: a unikernel in Rust for Xen", self.title),
            _ => format!("{} · Morgana", self.title),
        };
        let mut page = fill(
            PAGE,
            &[
                ("title", &escape(&title)),
                ("summary", &escape(&shorten(self.summary))),
                ("style", self.style),
                ("class", if self.url == "/" { "front" } else { "inner" }),
                ("main", self.main),
            ],
        );
        // The navigation's own page, and the section that it belongs to.
        let section = match self.url {
            "/docs/tutorial/" => "/docs/tutorial/",
            url if url.starts_with("/docs/") => "/docs/",
            url => url,
        };
        page = page.replacen(
            &format!("<a class=\"nav\" href=\"{section}\">"),
            &format!("<a class=\"nav\" href=\"{section}\" aria-current=\"page\">"),
            1,
        );
        compact(&page)
    }
}

/// The front page's content: title, lead, and the rest of the README.
pub(crate) fn front(title: &str, lead: &str, body: &str) -> String {
    fill(
        FRONT,
        &[("title", &escape(title)), ("lead", lead), ("body", body)],
    )
}

/// Puts values in the places `{{name}}` of a template. What a value holds is not looked at again.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == name);
        out.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// At most 160 characters, cut between words: what search engines show.
fn shorten(text: &str) -> String {
    const LIMIT: usize = 160;
    let mut out = String::new();
    for word in text.split_whitespace() {
        if out.chars().count() + word.chars().count() + 2 > LIMIT {
            out.push('…');
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Takes the indentation and the empty lines out of everything but code blocks.
fn compact(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(at) = rest.find("<pre") {
        squeeze(&rest[..at], &mut out);
        let end = rest[at..]
            .find("</pre>")
            .map_or(rest.len(), |length| at + length + 6);
        out.push_str(&rest[at..end]);
        rest = &rest[end..];
    }
    squeeze(rest, &mut out);
    out
}

fn squeeze(part: &str, out: &mut String) {
    for line in part.split_inclusive('\n') {
        let text = line.trim_start();
        if text.trim_end().is_empty() {
            if !out.ends_with('\n') && line.ends_with('\n') {
                out.push('\n');
            }
            continue;
        }
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_templates() {
        assert_eq!(
            fill("a{{x}}b{{y}}", &[("x", "{{y}}"), ("y", "2")]),
            "a{{y}}b2"
        );
    }

    #[test]
    fn code_keeps_its_indentation() {
        let page = "  <p>\n\n    text\n  </p>\n<pre><code>  a\n\n    b</code></pre>\n\n  <p>\n";
        assert_eq!(
            compact(page),
            "<p>\ntext\n</p>\n<pre><code>  a\n\n    b</code></pre>\n<p>\n"
        );
    }

    #[test]
    fn the_current_page_is_marked() {
        let page = Page {
            url: "/docs/http/",
            title: "HTTP <server>",
            summary: "About.",
            main: "",
            style: "/style.css",
        };
        let html = page.render();
        assert!(html.contains("<title>HTTP &lt;server&gt; · Morgana</title>"));
        assert!(
            html.contains("href=\"/docs/\" aria-current=\"page\""),
            "{html}"
        );
        assert_eq!(html.matches("aria-current").count(), 1);
        assert!(!html.contains("{{"));
    }

    #[test]
    fn long_summaries_are_cut() {
        let long = "word ".repeat(100);
        assert!(shorten(&long).chars().count() <= 160);
        assert!(shorten(&long).ends_with('…'));
        assert_eq!(shorten("a  b"), "a b");
    }
}
