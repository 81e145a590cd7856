//! The pages that the build script made.

include!(concat!(env!("OUT_DIR"), "/PAGES.rs"));

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use morgana_assets::Found;
    use std::format;
    use std::string::String;

    fn pages() -> impl Iterator<Item = (&'static str, String)> {
        PAGES
            .files()
            .iter()
            .filter(|file| file.content_type.starts_with("text/html"))
            .map(|file| {
                let content = file.content.unpack().unwrap();
                (file.path, String::from_utf8(content.into_owned()).unwrap())
            })
    }

    /// The policy in `headers` lets nothing else work, and the generator refuses it, too.
    #[test]
    fn a_page_needs_nothing_from_elsewhere_and_runs_only_scripts_of_the_site() {
        for (path, html) in pages() {
            for forbidden in [
                "<iframe",
                "<style",
                " style=",
                " onclick=",
                " src=\"http",
                "@import",
            ] {
                assert!(!html.contains(forbidden), "{path}: {forbidden}");
            }
            let scripts = html.matches("<script").count();
            let own = ["search", "status"]
                .map(|name| html.matches(&format!("<script src=\"/{name}.js?")).count());
            assert_eq!(own.iter().sum::<usize>(), scripts, "{path}");
            let stylesheets = html
                .matches("<link rel=\"stylesheet\" href=\"/style.css?")
                .count();
            assert_eq!(
                (stylesheets, html.matches("<link ").count()),
                (1, 3),
                "{path}"
            );
        }
    }

    #[test]
    fn every_page_has_the_landmarks_and_one_title() {
        for (path, html) in pages() {
            for once in [
                "<html lang=\"en\">",
                "<h1",
                "<header>",
                "<main id=\"main\"",
                "<footer>",
                "<title>",
            ] {
                assert_eq!(html.matches(once).count(), 1, "{path}: {once}");
            }
        }
    }

    #[test]
    fn the_documents_are_there() {
        for path in [
            "/",
            "/architecture/",
            "/contributing/",
            "/changelog/",
            "/docs/",
            "/docs/tutorial/",
            "/blog/",
            "/blog/feed.xml",
            "/blog/a-stricter-xen/",
            "/crates/",
            "/search/",
            "/search.json",
            "/sitemap.xml",
            "/status/",
        ] {
            assert!(matches!(PAGES.find(path), Found::Asset(_)), "{path}");
        }
        assert_eq!(
            PAGES.find("/docs/tutorial"),
            Found::Redirect("/docs/tutorial/")
        );
    }
}
