//! The whole site.

use std::env;
use std::path::Path;

use morgana_assets_build::Set;
use morgana_site::{BaseUrl, Fault, Page, Problem, Settings, Site, Sources, Value, context};

use crate::catalogue;
use crate::figures::figures;
use crate::source;
use crate::theme::theme;

/// Where the site is: the feed and the map for search engines have whole addresses in them.
const BASE: &str = "MORGANA_SITE_URL";
/// Where the API documentation is: another server has it, since it is too large for an image.
const API: &str = "MORGANA_SITE_API";
/// A name that nobody has (RFC 2606, section 2), for builds that are not told one.
const NO_BASE: &str = "https://morgana.example";

/// Makes the pages of the project at `root`, and what goes with them. Tells cargo which files they were made from.
pub fn build(root: &Path) -> Result<Set, Vec<Problem>> {
    let one = |problem| vec![problem];
    let mut sources = Sources::new(settings().map_err(one)?);
    source::collect(root, &mut sources).map_err(one)?;
    println!("cargo::rerun-if-env-changed={API}");
    let api = env::var(API).ok().filter(|address| !address.is_empty());
    let site = sources.read()?;
    let (guides, unlisted) = catalogue::guides(&site);
    if !unlisted.is_empty() {
        let problem = |file| {
            let missing = format!("there is no link to {file}");
            Problem::of_file("docs/README.md", Fault::NoSuchPage(missing))
        };
        return Err(unlisted.into_iter().map(problem).collect());
    }
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap_or_default();
    site.render(&theme(), |url| match url {
        "/crates/" => context! { layers => catalogue::layers(&site), api => api.clone() },
        _ => extra(&site, &guides, &readme, url),
    })
}

fn settings() -> Result<Settings, Problem> {
    println!("cargo::rerun-if-env-changed={BASE}");
    let base = env::var(BASE).unwrap_or_else(|_| NO_BASE.into());
    let base = BaseUrl::new(&base)
        .map_err(|error| Problem::of_file(BASE, Fault::Template(error.to_string())))?;
    Ok(Settings {
        description: "A library operating system in Rust for Xen.".into(),
        blog_description: "What was found on the way, and why things are as they are.".into(),
        author: "The Morgana developers".into(),
        ..Settings::new("Morgana", base)
    })
}

/// What the templates show on the page `url` besides the page itself.
fn extra(site: &Site, guides: &[&Page], readme: &str, url: &str) -> Value {
    match url {
        "/" => context! { figures => figures(readme) },
        _ => {
            let at = guides.iter().position(|guide| guide.url == url);
            let beside = |at: Option<usize>| {
                at.and_then(|at| guides.get(at))
                    .map(|page| catalogue::link(page))
            };
            context! {
                guides => catalogue::links(guides),
                project => catalogue::links(&catalogue::project(site)),
                before => beside(at.and_then(|at| at.checked_sub(1))),
                after => beside(at.map(|at| at + 1)),
            }
        }
    }
}
