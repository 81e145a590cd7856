//! A whole site, from files to files.

use std::collections::BTreeMap;
use std::path::Path;

use morgana_site::{
    BaseUrl, Document, Drafts, Kind, Plain, Problem, Settings, Sources, Standing, Theme, Value,
};

fn settings() -> Settings {
    Settings {
        description: "All about <things>.".into(),
        posts_per_page: 2,
        ..Settings::new("Things & co", BaseUrl::new("https://example.org").unwrap())
    }
}

fn post(number: usize, front_matter: &str) -> Document {
    let text = format!(
        "---\ntitle: Post {number}\ndate: 2026-11-{number:02}\n{front_matter}---\nSee [the page](../a.md#part) and [below](#x).\n\n## X\n"
    );
    let url = format!("/blog/{number}/");
    Document::post(&format!("posts/{number}.md"), &url, &text)
}

fn sources() -> Sources {
    let mut sources = Sources::new(settings());
    let front = "# Things\n\nThe front page, with [a page](a.md) and [a licence](LICENSE).\n";
    sources.document(Document::page("README.md", "/", front));
    let page = "# A page\n\nIts words: serendipity.\n\n## Part\n\n```rust\nlet x = 1;\n```\n";
    sources.document(Document::page("a.md", "/a/", page));
    sources.plain(Plain {
        file: "LICENSE".into(),
        url: "/LICENSE".into(),
        content_type: Some("text/plain; charset=utf-8"),
        body: b"Do as you like.".to_vec(),
    });
    for number in 1..=5 {
        sources.document(post(number, "tags: one, two\n"));
    }
    sources
}

type Files = BTreeMap<String, String>;

fn rendered(sources: Sources, theme: &Theme) -> Result<Files, Vec<String>> {
    let text = |problems: Vec<Problem>| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<String>>()
    };
    let set = sources
        .read()
        .and_then(|site| site.render(theme, |_| Value::from(())))
        .map_err(text)?;
    Ok(set
        .files()
        .map(|(path, body)| (path.into(), String::from_utf8(body.to_vec()).unwrap()))
        .collect())
}

#[test]
fn all_pages_are_there() {
    let files = rendered(sources(), &Theme::default()).unwrap();
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/",
            "/404.html",
            "/LICENSE",
            "/a/",
            "/blog/",
            "/blog/1/",
            "/blog/2/",
            "/blog/3/",
            "/blog/4/",
            "/blog/5/",
            "/blog/feed.xml",
            "/blog/page/2/",
            "/blog/page/3/",
            "/blog/tags/",
            "/blog/tags/one/",
            "/blog/tags/two/",
            "/favicon.svg",
            "/robots.txt",
            "/search.js",
            "/search.json",
            "/search/",
            "/sitemap.xml",
            "/style.css",
        ]
    );
    assert!(files["/blog/"].contains("Post 5") && !files["/blog/"].contains("Post 3"));
    assert!(files["/blog/page/3/"].contains("Post 1"));
    assert!(files["/blog/3/"].contains("href=\"/a/#part\""));
    assert!(files["/blog/3/"].contains("rel=\"prev\" href=\"/blog/2/\""));
    assert!(files["/blog/3/"].contains("<title>Post 3 · Things &amp; co</title>"));
    assert!(files["/robots.txt"].contains("Sitemap: https://example.org/sitemap.xml"));
    assert!(files["/sitemap.xml"].contains("<loc>https://example.org/a/</loc>"));
    assert!(files["/sitemap.xml"].contains("<lastmod>2026-11-05</lastmod>"));
    for (path, html) in files.iter().filter(|(path, _)| path.ends_with('/')) {
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        assert!(!html.contains("{{"), "{path}");
    }
}

#[test]
fn the_same_files_give_the_same_site() {
    assert_eq!(
        rendered(sources(), &Theme::default()),
        rendered(sources(), &Theme::default())
    );
}

#[test]
fn the_feed_has_whole_addresses_and_the_time_of_the_last_change() {
    let mut sources = sources();
    sources.document(post(6, "updated: 2026-12-24\nauthor: \"A <B>\"\n"));
    let feed = &rendered(sources, &Theme::default()).unwrap()["/blog/feed.xml"];
    assert!(feed.contains("<title>Things &amp; co: Blog</title>"));
    assert_eq!(
        feed.matches("<updated>2026-12-24T00:00:00Z</updated>")
            .count(),
        2
    );
    assert_eq!(feed.matches("<entry>").count(), 6);
    assert!(feed.contains("<author><name>A &lt;B&gt;</name></author>"));
    assert!(feed.contains("<category term=\"one\"/>"));
    assert!(feed.contains("href=&quot;https://example.org/a/#part&quot;"));
    assert!(feed.contains("href=&quot;https://example.org/blog/6/#x&quot;"));
    assert!(!feed.contains("href=&quot;/") && !feed.contains("href=&quot;#"));
}

#[test]
fn the_index_has_words_titles_and_headings() {
    let index = &rendered(sources(), &Theme::default()).unwrap()["/search.json"];
    assert!(
        index.contains("[\"/a/\",\"A page\",\"part\",\"Part\"]"),
        "{index}"
    );
    assert!(index.contains("rendipity 1\\n"), "{index}");
}

#[test]
fn a_site_without_posts_has_no_blog() {
    let mut sources = Sources::new(settings());
    sources.document(Document::page("README.md", "/", "# A\n\nText.\n"));
    let files = rendered(sources, &Theme::default()).unwrap();
    assert!(!files.keys().any(|path| path.starts_with("/blog")));
    assert!(!files["/"].contains("atom+xml"));
}

#[test]
fn drafts_show_when_they_are_wanted() {
    for (drafts, there) in [(Drafts::Hidden, false), (Drafts::Shown, true)] {
        let mut sources = Sources::new(Settings {
            drafts,
            ..settings()
        });
        sources.document(Document::page("README.md", "/", "# A\n"));
        sources.document(Document::page(
            "b.md",
            "/b/",
            "---\ndraft: true\n---\n# B\n",
        ));
        let files = rendered(sources, &Theme::default()).unwrap();
        assert_eq!(files.contains_key("/b/"), there);
    }
}

#[test]
fn all_that_is_wrong_is_told_with_its_place() {
    let mut sources = sources();
    sources.document(Document::page(
        "b.md",
        "/b/",
        "---\ntitel: x\n---\n\n[x](nowhere.md)\n",
    ));
    sources.document(Document::post("c.md", "/c/", "# C\n"));
    let problems = rendered(sources, &Theme::default()).unwrap_err();
    let expected = [
        "b.md:2: front matter has no key `titel`",
        "b.md:5: the link `nowhere.md`",
        "b.md: neither a `title`",
        "c.md: a post needs a `date`",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[test]
fn pages_of_the_sites_own_and_what_a_program_answers() {
    let theme = Theme::default().with(
        "own.html",
        "{% extends 'base.html' %}{% block main %}<a href=\"/metrics\">{{ extra }}</a>{% endblock %}",
    );
    let mut sources = sources();
    sources.standing(Standing {
        url: "/own/".into(),
        template: "own.html".into(),
        title: "Own".into(),
        summary: "Own.".into(),
        section: String::new(),
    });
    let missing = rendered(sources.clone(), &theme).unwrap_err();
    assert_eq!(
        missing,
        ["/own/: the page leads to /metrics, which is not there"]
    );
    sources.live("/metrics");
    assert!(rendered(sources, &theme).unwrap()["/own/"].contains("/metrics"));
}

#[test]
fn a_theme_that_breaks_the_policy_is_refused() {
    let theme = Theme::default().with("page.html", "<h1 onclick=\"x()\">{{ page.title }}</h1>");
    let problems = rendered(sources(), &theme).unwrap_err();
    assert_eq!(
        problems[0],
        "/: a page holds no script or style of its own: `onclick=\"x()\"`"
    );
    let theme = Theme::default().with("page.html", "\n{{ page.titel }}");
    let problems = rendered(sources(), &theme).unwrap_err();
    assert!(
        problems[0].starts_with("theme/page.html:2: undefined value"),
        "{problems:?}"
    );
}

#[test]
fn a_folder_is_taken_as_a_whole() {
    let root = std::env::temp_dir().join(format!("morgana-site-{}", std::process::id()));
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("wiki/index.md", "# W\n\n[b](sub/b.md) ![c d](sub/c.svg)\n");
    write("wiki/sub/b.md", "# B\n\n[up](../index.md)\n");
    write("wiki/sub/c.svg", "<svg/>");
    write("wiki/.hidden.md", "no title");
    write("posts/2026-11-20-d.md", "---\ndate: 2026-11-20\n---\n# D\n");
    let mut sources = Sources::new(settings());
    let folder =
        |sources: &mut Sources, name, url, kind| sources.folder(Path::new(&root), name, url, kind);
    folder(&mut sources, "wiki", "/", Kind::Page).unwrap();
    folder(&mut sources, "posts", "/blog/", Kind::Post).unwrap();
    let missing = folder(&mut sources, "none", "/", Kind::Page).unwrap_err();
    assert!(missing.to_string().starts_with("none: "), "{missing}");
    let files = rendered(sources, &Theme::default());
    std::fs::remove_dir_all(&root).unwrap();
    let files = files.unwrap();
    for path in ["/", "/sub/b/", "/sub/c.svg", "/blog/d/"] {
        assert!(files.contains_key(path), "{path}");
    }
    assert!(files["/"].contains("href=\"/sub/b/\""));
}
