//! What is looked at in finished pages: that their links lead somewhere, and that a strict security policy lets them work.

use std::collections::{BTreeMap, BTreeSet};

use crate::Problem;
use crate::problem::Fault;
use crate::tags::{Tag, tags};

/// A page: its path and its HTML.
pub(crate) type Finished<'a> = (&'a str, &'a str);

/// Looks at `pages`. `others` are the paths of what else there is, `live` those that the program answers.
pub(crate) fn check(
    pages: &[Finished<'_>],
    others: &BTreeSet<&str>,
    live: &[String],
) -> Vec<Problem> {
    let read: Vec<(&str, Vec<Tag<'_>>)> =
        pages.iter().map(|(url, html)| (*url, tags(html))).collect();
    let ids: BTreeMap<&str, BTreeSet<&str>> = read
        .iter()
        .map(|(url, tags)| {
            (
                *url,
                tags.iter().filter_map(|tag| tag.value("id")).collect(),
            )
        })
        .collect();
    let mut problems = Vec::new();
    for (url, tags) in &read {
        for tag in tags {
            if let Some(what) = inline(tag) {
                problems.push(Problem::of_file(*url, Fault::Inline(what)));
            }
            for name in ["href", "src", "action"] {
                let Some(link) = tag.value(name) else {
                    continue;
                };
                if !leads_somewhere(url, link, &ids, others, live) {
                    problems.push(Problem::of_file(*url, Fault::DeadLink(link.into())));
                }
            }
        }
    }
    problems
}

/// What of a tag a policy forbids that allows a site's own files alone.
fn inline(tag: &Tag<'_>) -> Option<String> {
    let own = |link: Option<&str>| {
        link.is_some_and(|link| link.starts_with('/') && !link.starts_with("//"))
    };
    let name = tag.name.to_ascii_lowercase();
    let loads = match name.as_str() {
        "script" | "img" | "iframe" | "embed" | "source" | "audio" | "video" => {
            own(tag.value("src"))
        }
        "link" => own(tag.value("href")) || tag.value("rel") == Some("canonical"),
        "style" | "object" => false,
        _ => true,
    };
    if !loads {
        return Some(format!("<{name}>"));
    }
    tag.attributes
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), *value))
        .find(|(name, value)| {
            name == "style"
                || name.starts_with("on")
                || value.trim_start().starts_with("javascript:")
        })
        .map(|(name, value)| format!("{name}=\"{value}\""))
}

fn leads_somewhere(
    page: &str,
    link: &str,
    ids: &BTreeMap<&str, BTreeSet<&str>>,
    others: &BTreeSet<&str>,
    live: &[String],
) -> bool {
    if ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| link.starts_with(scheme))
    {
        return true;
    }
    let (path, id) = match link.split_once('#') {
        Some((path, id)) => (path, Some(id)),
        None => (link, None),
    };
    let path = path.split('?').next().unwrap_or(path);
    let path = if path.is_empty() { page } else { path };
    match (ids.get(path), id) {
        (Some(ids), Some(id)) => ids.contains(id),
        (Some(_), None) => true,
        (None, _) => {
            others.contains(path)
                || live
                    .iter()
                    .any(|own| own == path || (own.ends_with('/') && path.starts_with(own)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(html: &str) -> Vec<String> {
        let others = ["/a.css", "/a.js", "/a.png"].into();
        let pages = [("/", html), ("/b/", "<h2 id=\"c\">")];
        check(&pages, &others, &["/metrics".into(), "/api/".into()])
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn good_pages() {
        let html = "<link rel=\"stylesheet\" href=\"/a.css?1\"><script src=\"/a.js\" defer></script><a href=\"/b/#c\">\
                    <a href=\"/b/\"><a href=\"#d\" id=\"d\"><a href=\"/metrics\"><a href=\"/api/x/y.html\">\
                    <a href=\"https://example.org/\"><img src=\"/a.png\" alt=\"a\"><form action=\"/b/\">";
        assert_eq!(said(html), [""; 0]);
    }

    #[test]
    fn links_to_nowhere() {
        for html in [
            "<a href=\"/x/\">",
            "<a href=\"/b\">",
            "<a href=\"/b/#x\">",
            "<a href=\"#x\">",
            "<a href=\"b/\">",
            "<img src=\"/x.png\">",
            "<form action=\"/x/\">",
            "<a href=\"//example.org/\">",
        ] {
            assert_eq!(said(html).len(), 1, "{html}");
        }
    }

    #[test]
    fn what_a_strict_policy_forbids() {
        for html in [
            "<script>x</script>",
            "<style>x</style>",
            "<p style=\"x\">",
            "<p onClick=x>",
            "<script src=\"https://example.org/a.js\">",
            "<img src=\"http://example.org/a.png\">",
            "<link rel=\"stylesheet\" href=\"https://example.org/a.css\">",
        ] {
            assert_eq!(said(html).len(), 1, "{html}: {:?}", said(html));
        }
        assert_eq!(said("<a href=\"javascript:x\">").len(), 2);
    }
}
