//! What templates see.

use minijinja::context;
use minijinja::value::Value;

use crate::markdown::Heading;
use crate::{Page, Settings, feed};

/// `site`.
pub(crate) fn site(settings: &Settings, has_posts: bool) -> Value {
    let feed = has_posts.then(|| feed::path(settings));
    context! {
        title => settings.title.as_str(),
        description => settings.description.as_str(),
        base => settings.base.as_str(),
        language => settings.language.as_str(),
        author => settings.author.as_str(),
        blog => settings.blog.as_str(),
        blog_title => settings.blog_title.as_str(),
        blog_description => settings.blog_description.as_str(),
        feed => feed,
    }
}

/// `page` of a document. Lists of pages have the same without `lead`, `body` and `toc`.
pub(crate) fn page(settings: &Settings, page: &Page) -> Value {
    context! {
        lead => Value::from_safe_string(page.article.lead.clone()),
        body => Value::from_safe_string(page.article.body.clone()),
        toc => toc(&page.headings),
        ..listed(settings, page)
    }
}

/// A page in a list.
pub(crate) fn listed(settings: &Settings, page: &Page) -> Value {
    let post = page.post.as_ref();
    let tags = post.map(|post| &post.tags[..]).unwrap_or_default();
    let tags: Vec<Value> = tags.iter().map(|name| tag(settings, name)).collect();
    let changed = post.filter(|post| post.updated > post.date);
    context! {
        url => page.url.as_str(),
        file => page.file.as_str(),
        title => page.title.as_str(),
        summary => page.summary.as_str(),
        description => shorten(&page.summary),
        section => page.section.as_str(),
        date => post.map(|post| post.date.to_string()),
        date_in_words => post.map(|post| post.date.in_words()),
        updated => changed.map(|post| post.updated.to_string()),
        updated_in_words => changed.map(|post| post.updated.in_words()),
        author => post.map(|post| post.author.clone()),
        tags => tags,
    }
}

/// `page` of what is made of a template alone.
pub(crate) fn standing(url: &str, title: &str, summary: &str, section: &str) -> Value {
    context! {
        url => url,
        title => title,
        summary => summary,
        description => shorten(summary),
        section => section,
    }
}

/// A tag, with the path of its page.
pub(crate) fn tag(settings: &Settings, name: &str) -> Value {
    context! { name => name, url => tag_path(settings, name) }
}

/// The path of a tag's page.
pub(crate) fn tag_path(settings: &Settings, name: &str) -> String {
    format!("{}tags/{name}/", settings.blog)
}

/// Headings of level 2, and under each those of level 3.
fn toc(headings: &[Heading]) -> Vec<Value> {
    let entry = |heading: &Heading, below: Vec<Value>| {
        context! { id => heading.id.as_str(), text => heading.text.as_str(), below => below }
    };
    headings
        .chunk_by(|_, next| next.level > 2)
        .filter(|section| section[0].level == 2)
        .map(|section| {
            let below = section.iter().filter(|heading| heading.level == 3);
            entry(&section[0], below.map(|h| entry(h, Vec::new())).collect())
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_summaries_are_cut() {
        let long = "word ".repeat(100);
        assert!(shorten(&long).chars().count() <= 160);
        assert!(shorten(&long).ends_with('…'));
        assert_eq!(shorten("a  b"), "a b");
    }

    #[test]
    fn sections_have_theirs() {
        let headings: Vec<Heading> = [(3, "x"), (2, "a"), (3, "b"), (4, "c"), (2, "d")]
            .into_iter()
            .map(|(level, id)| Heading {
                level,
                id: id.into(),
                text: id.into(),
            })
            .collect();
        let toc = toc(&headings);
        let ids: Vec<String> = toc
            .iter()
            .map(|entry| entry.get_attr("id").unwrap().to_string())
            .collect();
        assert_eq!(ids, ["a", "d"]);
        assert_eq!(toc[0].get_attr("below").unwrap().len(), Some(1));
    }
}
