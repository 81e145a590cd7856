//! A map of the site for search engines (sitemaps.org, protocol 0.9).

use std::fmt::Write as _;

use crate::escape::xml;
use crate::{BaseUrl, Date};

/// The map of the pages with these paths, and when they were changed, where that is known.
pub(crate) fn sitemap(base: &BaseUrl, pages: &[(String, Option<Date>)]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for (url, updated) in pages {
        // Writing to a String cannot fail.
        let _ = write!(out, "<url><loc>{}</loc>", xml(&base.join(url)));
        if let Some(date) = updated {
            let _ = write!(out, "<lastmod>{date}</lastmod>");
        }
        out.push_str("</url>\n");
    }
    out.push_str("</urlset>\n");
    out
}
