//! Lists of pages: the guides' order, what stands beside an article, and the list of crates.

use morgana_site::{Page, Site, Value, context};

use crate::source::{LAYERS, section};

/// The guides in the order in which `docs/README.md` links to them, and the files of those that it does not link to.
pub(crate) fn guides(site: &Site) -> (Vec<&Page>, Vec<&str>) {
    let order: Vec<&String> = of(site, section::GUIDES)
        .flat_map(|page| &page.article.links)
        .collect();
    let mut listed = Vec::new();
    let mut unlisted = Vec::new();
    for page in of(site, section::GUIDE) {
        match order.iter().position(|url| **url == page.url) {
            Some(at) => listed.push((at, page)),
            None => unlisted.push(page.file.as_str()),
        }
    }
    listed.sort_by_key(|(at, _)| *at);
    (listed.into_iter().map(|(_, page)| page).collect(), unlisted)
}

/// The documents at the root.
pub(crate) fn project(site: &Site) -> Vec<&Page> {
    of(site, section::PROJECT).collect()
}

fn of<'a>(site: &'a Site, section: &'a str) -> impl Iterator<Item = &'a Page> {
    site.pages()
        .iter()
        .filter(move |page| page.section == section)
}

/// Links to `pages`.
pub(crate) fn links(pages: &[&Page]) -> Vec<Value> {
    pages.iter().map(|page| link(page)).collect()
}

/// A link to `page`, and what it is about.
pub(crate) fn link(page: &Page) -> Value {
    context! {
        url => page.url.as_str(),
        title => page.title.as_str(),
        summary => page.summary.as_str(),
        name => page.url.trim_matches('/'),
    }
}

/// The layers from the bottom of the house to its top: each with its crates.
pub(crate) fn layers(site: &Site) -> Vec<Value> {
    let below = |layer: &str, section| {
        let prefix = format!("/{layer}/");
        of(site, section)
            .filter(|page| page.url.starts_with(&prefix))
            .map(link)
            .collect::<Vec<Value>>()
    };
    LAYERS
        .into_iter()
        .map(|layer| {
            context! {
                name => layer,
                about => below(layer, section::LAYER).pop(),
                crates => below(layer, section::CRATE),
            }
        })
        .collect()
}
