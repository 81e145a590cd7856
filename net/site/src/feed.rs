//! The blog as an Atom feed (RFC 4287).

use std::fmt::Write as _;

use crate::escape::xml;
use crate::page::{Page, Post};
use crate::{BaseUrl, Settings};

/// The media type of a feed (RFC 4287, section 7).
pub(crate) const CONTENT_TYPE: &str = "application/atom+xml";

/// The path of the feed.
pub(crate) fn path(settings: &Settings) -> String {
    format!("{}feed.xml", settings.blog)
}

/// The feed of the newest `posts`, which are sorted; `None` without any: a feed needs a time of its last change.
pub(crate) fn feed(settings: &Settings, posts: &[&Page]) -> Option<String> {
    let dated: Vec<(&Page, &Post)> = posts
        .iter()
        .filter_map(|page| Some((*page, page.post.as_ref()?)))
        .take(settings.posts_in_feed)
        .collect();
    let updated = dated.iter().map(|(_, post)| post.updated).max()?;
    let base = &settings.base;
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{language}\">\n\
         <title>{site}: {title}</title>\n\
         <subtitle>{description}</subtitle>\n\
         <id>{blog}</id>\n\
         <updated>{updated}</updated>\n\
         <link rel=\"self\" type=\"{CONTENT_TYPE}\" href=\"{own}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{blog}\"/>\n\
         <generator>Morgana</generator>\n",
        language = xml(&settings.language),
        site = xml(&settings.title),
        title = xml(&settings.blog_title),
        description = xml(&settings.blog_description),
        blog = xml(&base.join(&settings.blog)),
        updated = updated.moment(),
        own = xml(&base.join(&path(settings))),
    );
    for (page, post) in dated {
        entry(&mut out, base, page, post);
    }
    out.push_str("</feed>\n");
    Some(out)
}

fn entry(out: &mut String, base: &BaseUrl, page: &Page, post: &Post) {
    let address = base.join(&page.url);
    let content = format!("{}{}", page.article.lead, page.article.body);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<entry>\n\
         <title>{title}</title>\n\
         <id>{address}</id>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{address}\"/>\n\
         <published>{published}</published>\n\
         <updated>{updated}</updated>\n\
         <author><name>{author}</name></author>\n",
        title = xml(&page.title),
        address = xml(&address),
        published = post.date.moment(),
        updated = post.updated.moment(),
        author = xml(&post.author),
    );
    for tag in &post.tags {
        let _ = writeln!(out, "<category term=\"{}\"/>", xml(tag));
    }
    let _ = write!(
        out,
        "<summary>{}</summary>\n<content type=\"html\">{}</content>\n</entry>\n",
        xml(&page.summary),
        xml(&absolute(&content, base, &address)),
    );
}

/// HTML whose links hold anywhere. In text, `"` is a reference, so these strings are attributes only.
fn absolute(html: &str, base: &BaseUrl, address: &str) -> String {
    html.replace("href=\"/", &format!("href=\"{}/", base.as_str()))
        .replace("src=\"/", &format!("src=\"{}/", base.as_str()))
        .replace("href=\"#", &format!("href=\"{address}#"))
}
