//! The feed, by RFC 4287's rules.

use std::collections::BTreeSet;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::pages;
use super::tab::Tab;
use crate::process;

/// The grammar of a feed: RFC 4287, sections 3 and 4, as far as one without XHTML, sources and extensions goes.
const SCHEMA: &str = include_str!("atom.rng");

/// What the grammar does not say.
const LOOK: &str = "(async () => { \
    const own = document.querySelector('link[type=\"application/atom+xml\"]').getAttribute('href'); \
    const answer = await fetch(own); \
    const text = await answer.text(); \
    const feed = new DOMParser().parseFromString(text, 'application/xml'); \
    const all = (selector, read) => [...feed.querySelectorAll(selector)].map(read); \
    const text_of = (element) => element.textContent; \
    const content = all('content', (entry) => new DOMParser().parseFromString(entry.textContent, 'text/html')); \
    return { text, own, media_type: answer.headers.get('content-type'), \
        ids: all('id', text_of), updated: all('updated', text_of), entries: all('entry', text_of).length, \
        authors: all('entry > author > name', text_of).length, \
        itself: feed.querySelector('link[rel=self]').getAttribute('href'), \
        links: all('link[href]', (link) => link.getAttribute('href')) \
            .concat(content.flatMap((part) => [...part.querySelectorAll('[href], [src]')].map((link) => link.getAttribute('href') ?? link.getAttribute('src')))) }; \
    })()";

#[derive(Deserialize)]
struct Seen {
    text: String,
    own: String,
    media_type: String,
    ids: Vec<String>,
    updated: Vec<String>,
    entries: usize,
    authors: usize,
    itself: String,
    links: Vec<String>,
}

/// Reads the feed that the front page names, and judges it.
pub(super) fn feed(tab: &mut Tab<'_>, site: &str, xmllint: &Command) -> Result<()> {
    tab.load(&format!("{site}/"))?;
    let paths: BTreeSet<String> = pages::paths(tab)?.into_iter().collect();
    let value: Value = tab.value(LOOK)?;
    let seen: Seen = serde_json::from_value(value).context("the feed lacks something")?;
    valid(&seen.text, xmllint)?;
    if seen.media_type != "application/atom+xml" {
        bail!("the feed's type is {}", seen.media_type);
    }
    if seen.entries < 3 || seen.authors != seen.entries {
        bail!(
            "{} entries, {} of them with authors",
            seen.entries,
            seen.authors
        );
    }
    if seen.ids.iter().collect::<BTreeSet<_>>().len() != seen.ids.len() {
        bail!("an id is there twice: {:?}", seen.ids);
    }
    // All times are in UTC, so their order is that of their texts.
    if seen.updated.iter().max() != seen.updated.first() {
        bail!("an entry is newer than the feed: {:?}", seen.updated);
    }
    let base = seen
        .itself
        .strip_suffix(&seen.own)
        .with_context(|| format!("the feed says that it is {}, not {}", seen.itself, seen.own))?;
    for link in &seen.links {
        if !link.starts_with("https://") && !link.starts_with("http://") {
            bail!("{link} is not a whole address");
        }
        let path = link
            .strip_prefix(base)
            .map(|path| path.split('#').next().unwrap_or(path));
        if let Some(path) = path
            && !paths.contains(path)
            && path != seen.own
        {
            bail!("{link} leads to no page");
        }
    }
    Ok(())
}

/// Judges the feed by its grammar, and a broken one, which shows that the judge sees something.
fn valid(feed: &str, xmllint: &Command) -> Result<()> {
    let folder = env::temp_dir().join(format!("morgana-feed-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let judged = judge(feed, xmllint, &folder);
    let broken = judge(
        &feed.replacen("<updated>", "<updated>x", 2),
        xmllint,
        &folder,
    );
    let _ = fs::remove_dir_all(&folder);
    judged?;
    match broken {
        Err(_) => Ok(()),
        Ok(()) => bail!("a feed with a broken date is found valid"),
    }
}

fn judge(feed: &str, xmllint: &Command, folder: &std::path::Path) -> Result<()> {
    let (file, schema) = (folder.join("feed.xml"), folder.join("atom.rng"));
    fs::write(&file, feed)?;
    fs::write(&schema, SCHEMA)?;
    let mut command = Command::new(xmllint.get_program());
    let environment = xmllint.get_envs();
    command.envs(environment.filter_map(|(name, value)| Some((name, value?))));
    command
        .args(["--noout", "--nonet", "--relaxng"])
        .arg(schema)
        .arg(file);
    process::judged(&mut command)
}
