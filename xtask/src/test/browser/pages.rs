//! All pages: that they fit, complain about nothing, and lead somewhere.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;

use super::tab::Tab;

/// Windows: a desk's, a telephone's, and the narrowest that is promised.
const WIDTHS: [u32; 3] = [1280, 390, 360];
/// So many pages there are at least: with fewer, something was not looked at.
const LEAST_PAGES: usize = 60;

/// What is looked at in a page.
const LOOK: &str = "({ \
    over: document.documentElement.scrollWidth - document.documentElement.clientWidth, \
    titles: document.querySelectorAll('h1').length, \
    landmarks: document.querySelectorAll('body > header, body > main, body > footer').length, \
    wordless: document.querySelectorAll('img:not([alt]), a:not([aria-label]):empty').length, \
    ids: [...document.querySelectorAll('[id]')].map((element) => element.id), \
    links: [...document.querySelectorAll('[href], [src]')].map((element) => element.href ?? element.src) \
        .filter((link) => link.startsWith(location.origin)) })";

#[derive(Deserialize)]
struct Seen {
    over: i64,
    titles: u32,
    landmarks: u32,
    wordless: u32,
    ids: BTreeSet<String>,
    links: BTreeSet<String>,
}

/// Looks at every page that the map for search engines names, and at the one for what is missing.
pub(super) fn pages(tab: &mut Tab<'_>, site: &str) -> Result<()> {
    tab.load(&format!("{site}/"))?;
    let paths = paths(tab)?;
    if paths.len() < LEAST_PAGES {
        bail!("the map of the site names {} pages only", paths.len());
    }
    let mut wrong = Vec::new();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    for path in &paths {
        let address = format!("{site}{path}");
        tab.load(&address)?;
        for width in WIDTHS {
            tab.resize(width)?;
            let seen: Seen = serde_json::from_value(tab.value(LOOK)?)?;
            if seen.over > 0 {
                wrong.push(format!("{path}: {} pixels too wide at {width}", seen.over));
            }
            if (seen.titles, seen.landmarks, seen.wordless) != (1, 3, 0) {
                wrong.push(format!(
                    "{path}: {} titles, {} landmarks, {} pictures or links without words",
                    seen.titles, seen.landmarks, seen.wordless
                ));
            }
            ids.insert(address.clone(), seen.ids);
            for link in seen.links {
                links.entry(link).or_insert_with(|| path.clone());
            }
        }
        for complaint in tab.complaints() {
            wrong.push(format!("{path}: {complaint}"));
        }
    }
    wrong.extend(dead(tab, &links, &ids)?);
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("{}", wrong.join("\n")),
    }
}

/// The paths of all pages.
pub(super) fn paths(tab: &mut Tab<'_>) -> Result<Vec<String>> {
    let paths = tab.value(
        "fetch('/sitemap.xml').then((answer) => answer.text()).then((text) => \
         [...new DOMParser().parseFromString(text, 'application/xml').querySelectorAll('loc')] \
         .map((place) => new URL(place.textContent).pathname))",
    )?;
    serde_json::from_value(paths).context("/sitemap.xml is no map")
}

/// The links to what is not there.
fn dead(
    tab: &mut Tab<'_>,
    links: &BTreeMap<String, String>,
    ids: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut asked: BTreeMap<&str, u64> = BTreeMap::new();
    for (link, from) in links {
        let (address, id) = link.split_once('#').unwrap_or((link, ""));
        if !asked.contains_key(address) {
            let ask = format!("fetch({}).then((answer) => answer.status)", json!(address));
            asked.insert(address, tab.value(&ask)?.as_u64().unwrap_or(0));
        }
        let status = asked[address];
        if status != 200 {
            wrong.push(format!("{from}: {link} answers {status}"));
        }
        let known = ids.get(address).is_some_and(|ids| ids.contains(id));
        if !id.is_empty() && !known {
            wrong.push(format!("{from}: {link} leads to no heading"));
        }
    }
    Ok(wrong)
}

/// Without scripts, pages read the same, and the search's page says what to do instead.
pub(super) fn without_scripts(tab: &mut Tab<'_>, site: &str) -> Result<()> {
    let disabled = |value: bool| json!({ "value": value });
    tab.call("Emulation.setScriptExecutionDisabled", disabled(true))?;
    let looked = look_without(tab, site);
    tab.call("Emulation.setScriptExecutionDisabled", disabled(false))?;
    looked
}

fn look_without(tab: &mut Tab<'_>, site: &str) -> Result<()> {
    for (path, wanted) in [("/search/", "/docs/limits/"), ("/status/", "/metrics")] {
        tab.load(&format!("{site}{path}"))?;
        let document = tab.call("DOM.getDocument", json!({}))?;
        let found = tab.call(
            "DOM.querySelector",
            json!({ "nodeId": document["root"]["nodeId"], "selector": format!("noscript a[href='{wanted}']") }),
        )?;
        if found["nodeId"] == 0 {
            bail!("{path}: without scripts there is no link to {wanted}");
        }
    }
    Ok(())
}
