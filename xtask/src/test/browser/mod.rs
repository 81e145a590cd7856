//! The website in a browser: Debian's Chromium without a window, and the website's program as a Linux process.
//!
//! Chromium comes into the cache as a package. It is spoken to over two pipes, in its DevTools protocol, so no driver is needed.

mod chromium;
mod devtools;
mod feed;
mod keyboard;
mod pages;
mod search;
mod server;
mod status;
mod tab;

use anyhow::Result;

use super::Tally;
use crate::cache::Cache;
use crate::workspace::Workspace;

use chromium::Chromium;
use server::Server;
use tab::Tab;

/// Runs them; each counts.
pub(super) fn suite(workspace: &Workspace, tally: &mut Tally) {
    if let Err(error) = run(workspace, tally) {
        tally.test("browser", || Err(error));
    }
}

fn run(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let cache = Cache::open()?;
    let chromium = Chromium::obtain(&cache)?;
    let server = Server::start(workspace)?;
    let mut browser = chromium.start()?;
    let site = server.address();
    let mut tab = Tab::open(&mut browser)?;
    tally.test("browser/pages", || pages::pages(&mut tab, &site));
    tally.test("browser/without-scripts", || {
        pages::without_scripts(&mut tab, &site)
    });
    tally.test("browser/search", || search::search(&mut tab, &site));
    tally.test("browser/search-by-keyboard", || {
        search::by_keyboard(&mut tab, &site)
    });
    tally.test("browser/feed", || {
        feed::feed(&mut tab, &site, &chromium.xmllint())
    });
    tally.test("browser/status", || status::status(&mut tab, server));
    Ok(())
}
