//! The whole site.

use std::fs;
use std::path::Path;

use morgana_assets_build::{Set, entity_tag};

use crate::Problem;
use crate::catalogue::{self, Entry, Rendered};
use crate::links::Targets;
use crate::markdown::{self, Article, Untagged};
use crate::source::{self, Kind, Source};
use crate::style::minimise;
use crate::template::{Page, front};

/// Files at the root that are published as they are.
const PLAIN: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
const TEXT: &str = "text/plain; charset=utf-8";
const STYLE: &str = include_str!("../theme/style.css");
const ICON: &str = include_str!("../theme/favicon.svg");
const ROBOTS: &str = include_str!("../theme/robots.txt");
const MISSING: &str = include_str!("../theme/404.html");

/// Makes the pages of the project at `root`, and what goes with them. Tells cargo which files they were made from.
pub fn build(root: &Path) -> Result<Set, Vec<Problem>> {
    let sources = source::collect(root).map_err(|problem| vec![problem])?;
    for source in &sources {
        println!(
            "cargo::rerun-if-changed={}",
            root.join(&source.file).display()
        );
    }
    for folder in source::LAYERS.into_iter().chain(["docs"]) {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
    }

    let mut problems = Vec::new();
    let pages = render_all(&sources, &mut problems);
    let (guides, unlisted) = catalogue::guides(&pages);
    problems.extend(unlisted.into_iter().map(Problem::Unlisted));
    if !problems.is_empty() {
        return Err(problems);
    }
    assemble(root, &pages, &guides).map_err(|problem| vec![problem])
}

fn render_all<'a>(sources: &'a [Source], problems: &mut Vec<Problem>) -> Vec<Rendered<'a>> {
    let mut targets = Targets::default();
    for source in sources {
        let headings = markdown::headings(&source.text);
        targets.add(
            &source.file,
            &source.url,
            headings.into_iter().map(|h| h.id),
        );
    }
    for file in PLAIN {
        targets.add(file, &format!("/{file}"), []);
    }
    let mut render = |source: &Source| -> Article {
        let untagged = match source.kind {
            Kind::Crate => Untagged::Rust,
            _ => Untagged::Text,
        };
        markdown::render(&source.file, &source.text, untagged, &targets, problems)
    };
    sources
        .iter()
        .map(|source| (source, render(source)))
        .collect()
}

fn assemble(root: &Path, pages: &[Rendered<'_>], guides: &[Entry]) -> Result<Set, Problem> {
    let css = minimise(STYLE);
    // A new style sheet is a new address, so that a browser may keep the old one for ever.
    let style = format!("/style.css?{}", &entity_tag(css.as_bytes())[..8]);
    let mut set = Set::new();
    let mut put = |path: &str, kind: Option<&'static str>, body: Vec<u8>| {
        match kind {
            Some(kind) => set.add_as(path, kind, body),
            None => set.add(path, body),
        }
        .map_err(Problem::Asset)
    };
    let frame = |url: &str, title: &str, summary: &str, main: &str| {
        let page = Page {
            url,
            title,
            summary,
            main,
            style: &style,
        };
        page.render().into_bytes()
    };

    let project = catalogue::project(pages);
    for (source, article) in pages {
        let main = match source.kind {
            Kind::Front => front(&article.title, &article.lead, &article.body),
            _ => inner(source, article, guides, &project),
        };
        let body = frame(&source.url, &article.title, &article.summary, &main);
        put(&source.url, None, body)?;
    }
    let list = format!(
        "<article>\n<h1>Crates</h1>\n{}</article>\n",
        catalogue::crates(pages)
    );
    put(
        "/crates/",
        None,
        frame(
            "/crates/",
            "Crates",
            "All crates of Morgana, layer by layer.",
            &list,
        ),
    )?;
    put(
        "/404.html",
        None,
        frame("/404.html", "Not found", "There is no such page.", MISSING),
    )?;
    put("/style.css", None, css.clone().into_bytes())?;
    put("/favicon.svg", None, ICON.into())?;
    put("/robots.txt", None, ROBOTS.into())?;
    for file in PLAIN {
        let path = root.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read(&path).map_err(|error| Problem::Io(path, error))?;
        put(&format!("/{file}"), Some(TEXT), text)?;
    }
    Ok(set)
}

/// The content of any page but the front page.
fn inner(source: &Source, article: &Article, guides: &[Entry], project: &[Entry]) -> String {
    let contents = catalogue::contents(&article.headings);
    let title = crate::escape::escape(&article.title);
    let (side, trail) = match source.kind {
        Kind::Crate | Kind::Layer => (
            String::new(),
            "<p class=\"trail\"><a href=\"/crates/\">Crates</a></p>\n".to_owned(),
        ),
        _ => (
            format!(
                "<nav class=\"side\" aria-label=\"All documents\">\n{}{}</nav>\n",
                catalogue::list("Guides", guides, &source.url),
                catalogue::list("Project", project, &source.url),
            ),
            String::new(),
        ),
    };
    format!(
        "<article>\n{trail}<h1>{title}</h1>\n{}{contents}{}{}</article>\n{side}",
        article.lead,
        article.body,
        catalogue::neighbours(guides, &source.url),
    )
}
