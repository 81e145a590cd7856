//! The files that a site is made of, and how they become one.

use std::fs;
use std::path::Path;

use crate::front_matter::{self, FrontMatter, Stage};
use crate::links::Targets;
use crate::markdown::{Outline, Place, outline, render};
use crate::page::{Page, Post};
use crate::problem::Fault;
use crate::{Document, Drafts, Kind, Plain, Problem, Settings, Site, Standing};

/// The files that a site is made of.
#[derive(Clone, Debug)]
pub struct Sources {
    settings: Settings,
    documents: Vec<Document>,
    standing: Vec<Standing>,
    plain: Vec<Plain>,
    live: Vec<String>,
}

impl Sources {
    /// None yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            documents: Vec::new(),
            standing: Vec::new(),
            plain: Vec::new(),
            live: Vec::new(),
        }
    }

    /// Adds a document.
    pub fn document(&mut self, document: Document) {
        self.documents.push(document);
    }

    /// Adds a page that is made of a template alone.
    pub fn standing(&mut self, page: Standing) {
        self.standing.push(page);
    }

    /// Adds a file that is published as it is.
    pub fn plain(&mut self, file: Plain) {
        self.plain.push(file);
    }

    /// Says that the program which serves the site answers `path` itself, so that pages may link to it. With a `/` at its end, it stands for all below it, too.
    pub fn live(&mut self, path: &str) {
        self.live.push(path.into());
    }

    /// Adds all files below `folder`, which is below `root`, and tells cargo to watch it. `url` begins and ends with `/`.
    ///
    /// `a.md` becomes `url` + `a/`, and `index.md` or `README.md` the page of its folder. A date before a post's name (`2026-11-20-a.md`) is no part of its
    /// address. All other files are published as they are. Names that begin with a dot are left alone.
    pub fn folder(
        &mut self,
        root: &Path,
        folder: &str,
        url: &str,
        kind: Kind,
    ) -> Result<(), Problem> {
        let path = root.join(folder);
        println!("cargo::rerun-if-changed={}", path.display());
        let failed = |error| Problem::of_file(folder, Fault::Io(path.clone(), error));
        let mut names = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            names.push(
                entry
                    .map_err(failed)?
                    .file_name()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        names.sort();
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            let file = format!("{folder}/{name}");
            let path = root.join(&file);
            if path.is_dir() {
                self.folder(root, &file, &format!("{url}{name}/"), kind)?;
                continue;
            }
            println!("cargo::rerun-if-changed={}", path.display());
            let unread = |error| Problem::of_file(&file, Fault::Io(path.clone(), error));
            let Some(stem) = name.strip_suffix(".md") else {
                let body = fs::read(&path).map_err(unread)?;
                let (file, url) = (file.clone(), format!("{url}{name}"));
                self.plain(Plain {
                    file,
                    url,
                    content_type: None,
                    body,
                });
                continue;
            };
            let text = fs::read_to_string(&path).map_err(unread)?;
            let url = match (stem, kind) {
                ("index" | "README", _) => url.to_owned(),
                (stem, Kind::Post) => format!("{url}{}/", undated(stem)),
                (stem, Kind::Page) => format!("{url}{stem}/"),
            };
            self.document(match kind {
                Kind::Page => Document::page(&file, &url, &text),
                Kind::Post => Document::post(&file, &url, &text),
            });
        }
        Ok(())
    }

    /// Reads all documents and resolves the links between them. All that is wrong is reported, not the first alone.
    pub fn read(self) -> Result<Site, Vec<Problem>> {
        let mut problems = Vec::new();
        let read: Vec<Read<'_>> = self
            .documents
            .iter()
            .filter_map(|document| Read::new(document, self.settings.drafts, &mut problems))
            .collect();
        let targets = self.targets(&read);
        let mut pages: Vec<Page> = read
            .into_iter()
            .filter_map(|read| read.page(&self.settings, &targets, &mut problems))
            .collect();
        // Posts last, newest first; other pages in the order in which they were added.
        pages.sort_by(|a, b| match (a.date(), b.date()) {
            (Some(a_date), Some(b_date)) => b_date.cmp(&a_date).then_with(|| a.url.cmp(&b.url)),
            (a_date, b_date) => a_date.is_some().cmp(&b_date.is_some()),
        });
        if problems.is_empty() {
            Ok(Site {
                settings: self.settings,
                pages,
                standing: self.standing,
                plain: self.plain,
                live: self.live,
            })
        } else {
            Err(problems)
        }
    }

    fn targets(&self, read: &[Read<'_>]) -> Targets {
        let mut targets = Targets::default();
        for Read {
            document, outline, ..
        } in read
        {
            let headings = outline.title.iter().chain(&outline.headings);
            targets.add(
                &document.file,
                &document.url,
                headings.map(|heading| heading.id.clone()),
            );
        }
        for plain in &self.plain {
            targets.add(&plain.file, &plain.url, []);
        }
        targets
    }
}

/// A file's name without the date before it.
fn undated(stem: &str) -> &str {
    match (stem.get(..10), stem.get(10..)) {
        (Some(date), Some(rest)) if crate::Date::parse(date).is_some() && rest.len() > 1 => {
            rest.strip_prefix('-').unwrap_or(stem)
        }
        _ => stem,
    }
}

/// A document whose links are not resolved yet.
struct Read<'a> {
    document: &'a Document,
    front_matter: FrontMatter,
    outline: Outline,
    text: &'a str,
    lines_before: usize,
}

impl<'a> Read<'a> {
    /// Reads a document; `None` for a draft that is not to be shown.
    fn new(document: &'a Document, drafts: Drafts, problems: &mut Vec<Problem>) -> Option<Self> {
        let parts = front_matter::split(&document.file, &document.text, problems);
        if parts.front_matter.stage == Stage::Draft && drafts == Drafts::Hidden {
            return None;
        }
        Some(Self {
            document,
            front_matter: parts.front_matter,
            outline: outline(parts.text),
            text: parts.text,
            lines_before: parts.lines,
        })
    }

    fn page(
        self,
        settings: &Settings,
        targets: &Targets,
        problems: &mut Vec<Problem>,
    ) -> Option<Page> {
        let Self {
            document,
            front_matter,
            outline,
            ..
        } = self;
        let place = Place {
            file: &document.file,
            lines_before: self.lines_before,
        };
        let article = render(
            place,
            self.text,
            &outline,
            document.untagged,
            targets,
            problems,
        );
        let title = match (front_matter.title, outline.title) {
            (Some(title), _) => title,
            (None, Some(heading)) => heading.text,
            (None, None) => {
                problems.push(Problem::of_file(&document.file, Fault::NoTitle));
                return None;
            }
        };
        let post = match (document.kind, front_matter.date) {
            (Kind::Page, _) => None,
            (Kind::Post, Some(date)) => Some(Post {
                date,
                updated: front_matter.updated.unwrap_or(date).max(date),
                author: front_matter
                    .author
                    .unwrap_or_else(|| settings.author.clone()),
                tags: front_matter.tags,
            }),
            (Kind::Post, None) => {
                problems.push(Problem::of_file(&document.file, Fault::NoDate));
                return None;
            }
        };
        Some(Page {
            file: document.file.clone(),
            url: document.url.clone(),
            template: document.template.clone(),
            section: document.section.clone(),
            title,
            summary: front_matter.summary.unwrap_or(outline.summary),
            post,
            headings: outline.headings,
            words: outline.words,
            article,
        })
    }
}
