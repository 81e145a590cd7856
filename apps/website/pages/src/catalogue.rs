//! Lists of pages: the guides' side bar and order, and the list of crates.

use std::fmt::Write as _;

use crate::escape::escape;
use crate::markdown::{Article, Heading};
use crate::source::{Kind, LAYERS, Source};

/// A document and what it was rendered to.
pub(crate) type Rendered<'a> = (&'a Source, Article);

/// A link in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) url: String,
    pub(crate) title: String,
}

/// The guides in the order in which `docs/README.md` links to them, and the files of those that it does not link to.
pub(crate) fn guides(pages: &[Rendered<'_>]) -> (Vec<Entry>, Vec<String>) {
    let order: Vec<&String> = pages
        .iter()
        .filter(|(source, _)| source.kind == Kind::GuideIndex)
        .flat_map(|(_, article)| &article.links)
        .collect();
    let mut listed = Vec::new();
    let mut unlisted = Vec::new();
    for (source, article) in pages
        .iter()
        .filter(|(source, _)| source.kind == Kind::Guide)
    {
        match order.iter().position(|url| **url == source.url) {
            Some(at) => listed.push((at, entry(source, article))),
            None => unlisted.push(source.file.clone()),
        }
    }
    listed.sort_by_key(|(at, _)| *at);
    (
        listed.into_iter().map(|(_, entry)| entry).collect(),
        unlisted,
    )
}

fn entry(source: &Source, article: &Article) -> Entry {
    Entry {
        url: source.url.clone(),
        title: article.title.clone(),
    }
}

/// The documents at the root.
pub(crate) fn project(pages: &[Rendered<'_>]) -> Vec<Entry> {
    pages
        .iter()
        .filter(|(source, _)| source.kind == Kind::Project)
        .map(|(source, article)| entry(source, article))
        .collect()
}

/// A titled list of links, the one to `current` marked.
pub(crate) fn list(title: &str, entries: &[Entry], current: &str) -> String {
    let mut out = format!("<p class=\"label\">{title}</p>\n<ul>\n");
    for Entry { url, title } in entries {
        let mark = if url == current {
            " aria-current=\"page\""
        } else {
            ""
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "<li><a href=\"{url}\"{mark}>{}</a></li>",
            escape(title)
        );
    }
    out.push_str("</ul>\n");
    out
}

/// The list of an article's sections, or nothing for an article with fewer than three.
pub(crate) fn contents(headings: &[Heading]) -> String {
    let sections: Vec<Entry> = headings
        .iter()
        .filter(|heading| heading.level == pulldown_cmark::HeadingLevel::H2)
        .map(|heading| Entry {
            url: format!("#{}", heading.id),
            title: heading.text.clone(),
        })
        .collect();
    if sections.len() < 3 {
        return String::new();
    }
    let list = list("On this page", &sections, "");
    format!("<nav class=\"toc\" aria-label=\"On this page\">\n{list}</nav>\n")
}

/// Links to the guides before and after `current`.
pub(crate) fn neighbours(guides: &[Entry], current: &str) -> String {
    let Some(at) = guides.iter().position(|guide| guide.url == current) else {
        return String::new();
    };
    let link = |at: Option<usize>, rel: &str, label: &str| {
        at.and_then(|at| guides.get(at))
            .map_or(String::new(), |guide| {
                format!(
                    "<a rel=\"{rel}\" href=\"{}\"><small>{label}</small> {}</a>\n",
                    guide.url,
                    escape(&guide.title)
                )
            })
    };
    format!(
        "<nav class=\"neighbours\" aria-label=\"Previous and next guide\">\n{}{}</nav>\n",
        link(at.checked_sub(1), "prev", "Previous"),
        link(Some(at + 1), "next", "Next"),
    )
}

/// The content of the page that lists all crates, layer by layer.
pub(crate) fn crates(pages: &[Rendered<'_>]) -> String {
    let mut out = String::from(
        "<p class=\"lead\">The folders from the bottom of the house to its top. What may use what is told in the \
         <a href=\"/architecture/\">architecture</a>.</p>\n",
    );
    for layer in LAYERS {
        let of_layer = |kind: Kind| {
            let prefix = format!("/{layer}/");
            pages
                .iter()
                .filter(move |(source, _)| source.kind == kind && source.url.starts_with(&prefix))
        };
        if of_layer(Kind::Crate).next().is_none() {
            continue;
        }
        let _ = writeln!(out, "<h2 id=\"{layer}\">{layer}/</h2>");
        for (_, article) in of_layer(Kind::Layer) {
            let _ = writeln!(out, "<p>{}</p>", escape(&article.summary));
        }
        out.push_str("<dl class=\"crates\">\n");
        for (source, article) in of_layer(Kind::Crate) {
            let name = source.url.trim_matches('/');
            let _ = writeln!(
                out,
                "<dt><a href=\"{}\">{name}</a></dt>\n<dd>{}</dd>",
                source.url,
                escape(&article.summary)
            );
        }
        out.push_str("</dl>\n");
    }
    out
}
