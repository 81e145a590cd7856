//! From a site and a theme to the files that are served.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::context;
use minijinja::value::Value;
use morgana_assets_build::{Error, Set, entity_tag};

use crate::problem::Fault;
use crate::sitemap::sitemap;
use crate::templates::Templates;
use crate::{Date, Page, Problem, Site, Theme, checks, feed, search, values};

const INDEX: &str = "search.json";

impl Site {
    /// All files of the site in the look of `theme`. `extra` gives templates what else they show on a page, by its path, as `extra`.
    pub fn render(
        &self,
        theme: &Theme,
        extra: impl Fn(&str) -> Value,
    ) -> Result<Set, Vec<Problem>> {
        let pages: Vec<&Page> = self.pages.iter().collect();
        let posts: Vec<&Page> = self.posts().collect();
        let mut files: Vec<(String, Vec<u8>)> = theme
            .assets()
            .map(|(name, body)| (name.to_owned(), body.into_bytes()))
            .collect();
        files.push((INDEX.into(), search::index(&pages).into_bytes()));
        // New content is a new address, so that a browser may keep the old one for ever.
        let addresses: BTreeMap<String, String> = files
            .iter()
            .map(|(name, body)| (name.clone(), format!("/{name}?{}", &entity_tag(body)[..8])))
            .collect();
        let mut work = Work {
            site: self,
            templates: Templates::read(theme, addresses)?,
            shared: context! {
                site => values::site(&self.settings, !posts.is_empty()),
                pages => self.listed(&pages),
                posts => self.listed(&posts),
            },
            extra: &extra,
            made: Vec::new(),
            problems: Vec::new(),
        };
        work.documents(&posts);
        work.blog(&posts);
        work.standing();
        let robots = work.templates.fill("robots.txt", work.shared.clone());
        let (made, mut problems) = (work.made, work.problems);
        match robots {
            Ok(text) => files.push(("robots.txt".into(), text.into_bytes())),
            Err(problem) => problems.push(problem),
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        self.collect(files, made, &posts)
    }

    fn listed(&self, pages: &[&Page]) -> Vec<Value> {
        pages
            .iter()
            .map(|page| values::listed(&self.settings, page))
            .collect()
    }

    /// Puts everything in a set, and looks at what the pages have in them.
    fn collect(
        &self,
        files: Vec<(String, Vec<u8>)>,
        made: Vec<Made>,
        posts: &[&Page],
    ) -> Result<Set, Vec<Problem>> {
        let one = |error: Error| vec![Problem::of_file("site", Fault::Asset(error))];
        let mut set = Set::new();
        for (name, body) in files {
            set.add(&format!("/{name}"), body).map_err(one)?;
        }
        for plain in &self.plain {
            match plain.content_type {
                Some(kind) => set.add_as(&plain.url, kind, plain.body.clone()),
                None => set.add(&plain.url, plain.body.clone()),
            }
            .map_err(one)?;
        }
        let mapped: Vec<(String, Option<Date>)> = made
            .iter()
            .filter(|page| page.url.ends_with('/'))
            .map(|page| (page.url.clone(), page.updated))
            .collect();
        set.add("/sitemap.xml", sitemap(&self.settings.base, &mapped))
            .map_err(one)?;
        if let Some(feed) = feed::feed(&self.settings, posts) {
            set.add_as(&feed::path(&self.settings), feed::CONTENT_TYPE, feed)
                .map_err(one)?;
        }
        let finished: Vec<checks::Finished<'_>> = made
            .iter()
            .map(|page| (page.url.as_str(), page.html.as_str()))
            .collect();
        let others: BTreeSet<&str> = set.files().map(|(path, _)| path).collect();
        let problems = checks::check(&finished, &others, &self.live);
        if !problems.is_empty() {
            return Err(problems);
        }
        for Made { url, html, .. } in made {
            set.add(&url, html).map_err(one)?;
        }
        Ok(set)
    }
}

/// A page that was made.
struct Made {
    url: String,
    html: String,
    updated: Option<Date>,
}

struct Work<'a, F> {
    site: &'a Site,
    templates: Templates<'a>,
    shared: Value,
    extra: &'a F,
    made: Vec<Made>,
    problems: Vec<Problem>,
}

impl<F: Fn(&str) -> Value> Work<'_, F> {
    fn make(&mut self, url: &str, template: &str, updated: Option<Date>, values: Value) {
        let shared = context! { ..values, ..self.shared.clone() };
        let values = context! { extra => (self.extra)(url), ..shared };
        match self.templates.fill(template, values) {
            Ok(html) => self.made.push(Made {
                url: url.into(),
                html,
                updated,
            }),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn documents(&mut self, posts: &[&Page]) {
        let settings = &self.site.settings;
        for page in &self.site.pages {
            let at = posts.iter().position(|post| post.url == page.url);
            let other = |at: Option<usize>| {
                at.and_then(|at| posts.get(at))
                    .map(|page| values::listed(settings, page))
            };
            let values = context! {
                page => values::page(settings, page),
                newer => other(at.and_then(|at| at.checked_sub(1))),
                older => other(at.map(|at| at + 1)),
            };
            let updated = page.post.as_ref().map(|post| post.updated);
            self.make(&page.url, &page.template, updated, values);
        }
    }

    /// The index of posts, page by page, and the pages of tags. A site without posts has none.
    fn blog(&mut self, posts: &[&Page]) {
        let settings = &self.site.settings;
        let (blog, title) = (settings.blog.as_str(), settings.blog_title.as_str());
        let count = posts.len().div_ceil(settings.posts_per_page.max(1));
        let path = |number: usize| match number {
            1 => blog.to_owned(),
            number => format!("{blog}page/{number}/"),
        };
        let tags = self.site.tags();
        let tag_values: Vec<Value> = tags
            .iter()
            .map(|(name, posts)| {
                context! { count => posts.len(), ..values::tag(settings, name) }
            })
            .collect();
        for (index, listed) in posts.chunks(settings.posts_per_page.max(1)).enumerate() {
            let number = index + 1;
            let url = path(number);
            let values = context! {
                page => values::standing(&url, title, &settings.blog_description, "blog"),
                listed => self.site.listed(listed),
                number => number,
                count => count,
                newer => (number > 1).then(|| path(number - 1)),
                older => (number < count).then(|| path(number + 1)),
                tags => tag_values.clone(),
            };
            self.make(&url, "blog.html", None, values);
        }
        if tags.is_empty() {
            return;
        }
        let url = format!("{blog}tags/");
        let values = context! {
            page => values::standing(&url, "Tags", "All posts by what they are about.", "blog"),
            tags => tag_values,
        };
        self.make(&url, "tags.html", None, values);
        for (name, posts) in tags {
            let url = values::tag_path(settings, name);
            let (title, summary) = (format!("Tag: {name}"), format!("All posts about {name}."));
            let values = context! {
                page => values::standing(&url, &title, &summary, "blog"),
                tag => name,
                listed => self.site.listed(&posts),
            };
            self.make(&url, "tag.html", None, values);
        }
    }

    fn standing(&mut self) {
        let own = [
            (
                "/search/",
                "search.html",
                "Search",
                "Find words in all pages.",
            ),
            (
                "/404.html",
                "404.html",
                "Not found",
                "There is no such page.",
            ),
        ];
        for (url, template, title, summary) in own {
            let values = context! { page => values::standing(url, title, summary, "") };
            self.make(url, template, None, values);
        }
        for page in &self.site.standing {
            let values = context! {
                page => values::standing(&page.url, &page.title, &page.summary, &page.section),
            };
            self.make(&page.url, &page.template, None, values);
        }
    }
}
