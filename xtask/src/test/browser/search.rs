//! The search.

use anyhow::{Result, bail};
use serde_json::json;

use super::keyboard::{DOWN, ENTER, ESCAPE, SLASH, press, write};
use super::tab::Tab;

const LINKS: &str = "[...document.querySelectorAll('#results a')]";

/// What is typed, and the page that has to come first.
const KNOWN: [(&str, &str); 4] = [
    ("driver domains", "/docs/drivers/"),
    ("tutor", "/docs/tutorial/"),
    ("LOCKSTEP SEED", "/blog/a-stricter-xen/"),
    ("netfront", "/drivers/netfront/"),
];

/// It finds pages that are there, and shows what it found as text.
pub(super) fn search(tab: &mut Tab<'_>, site: &str) -> Result<()> {
    for (typed, wanted) in KNOWN {
        tab.load(&format!("{site}/search/"))?;
        write(tab, typed)?;
        tab.until(&format!("{LINKS}.length"))?;
        let first = tab.value(&format!("new URL({LINKS}[0].href).pathname"))?;
        if first != wanted {
            bail!("{typed}: {first} comes first, not {wanted}");
        }
        tab.until("document.querySelector('#results li:first-child p').textContent.length > 40")?;
        quiet(tab, typed)?;
    }
    tab.until("document.querySelector('#results li:first-child mark').textContent.toLowerCase() === 'netfront'")?;
    tab.load(&format!("{site}/search/"))?;
    write(tab, "zyzzyva")?;
    tab.until("document.getElementById('found').textContent === 'No pages'")?;
    let hostile = "<img src=x onerror=alert(1)> grant .*";
    tab.load(&format!(
        "{site}/search/?q={}",
        hostile.replace(' ', "%20").replace('<', "%3C")
    ))?;
    tab.until("document.getElementById('found').textContent !== ''")?;
    let typed = tab.value("document.querySelector('main input').value")?;
    if typed != hostile {
        bail!("the address's words are not in the field: {typed}");
    }
    if tab.value("document.querySelectorAll('main img').length")? != json!(0) {
        bail!("what was typed has become a picture");
    }
    quiet(tab, hostile)
}

/// From any page to a result, without a mouse.
pub(super) fn by_keyboard(tab: &mut Tab<'_>, site: &str) -> Result<()> {
    tab.resize(1280)?;
    tab.load(&format!("{site}/docs/"))?;
    press(tab, SLASH)?;
    tab.until("document.activeElement.name === 'q'")?;
    write(tab, "limits")?;
    press(tab, ENTER)?;
    tab.loaded()?;
    tab.until(&format!("{LINKS}.length > 1"))?;
    press(tab, DOWN)?;
    press(tab, DOWN)?;
    tab.until(&format!("document.activeElement === {LINKS}[1]"))?;
    press(tab, ESCAPE)?;
    tab.until("document.activeElement.name === 'q'")?;
    press(tab, ENTER)?;
    tab.until(&format!("document.activeElement === {LINKS}[0]"))?;
    press(tab, ENTER)?;
    tab.loaded()?;
    let path = tab.value("location.pathname")?;
    if path != "/docs/limits/" {
        bail!("the first result for `limits` leads to {path}");
    }
    quiet(tab, "limits")
}

fn quiet(tab: &mut Tab<'_>, typed: &str) -> Result<()> {
    match tab.complaints()[..] {
        [] => Ok(()),
        ref complaints => bail!("{typed}: {}", complaints.join("\n")),
    }
}
