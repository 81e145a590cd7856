//! The pages that the build script made.

include!(concat!(env!("OUT_DIR"), "/PAGES.rs"));

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use morgana_assets::Found;
    use std::string::String;
    use std::vec::Vec;

    /// The paths of this site that `html` links to or loads.
    fn own_links(html: &str) -> Vec<&str> {
        let values = |name: &'static str| {
            html.split(name)
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
        };
        values(" href=\"")
            .chain(values(" src=\""))
            .filter(|link| link.starts_with('/'))
            .map(|link| link.split(['#', '?']).next().unwrap_or(link))
            .collect()
    }

    fn pages() -> impl Iterator<Item = (&'static str, String)> {
        PAGES
            .files()
            .iter()
            .filter(|file| file.content_type.starts_with("text/html"))
            .map(|file| (file.path, String::from_utf8(file.body.to_vec()).unwrap()))
    }

    #[test]
    fn every_link_within_the_site_leads_somewhere() {
        for (path, html) in pages() {
            for link in own_links(&html) {
                let live = matches!(link, "/metrics" | "/healthz");
                assert!(
                    live || matches!(PAGES.find(link), Found::Asset(_)),
                    "{path}: {link}"
                );
            }
        }
    }

    #[test]
    fn a_page_needs_nothing_from_elsewhere_and_runs_nothing() {
        for (path, html) in pages() {
            for forbidden in [
                "<script",
                "<iframe",
                " style=",
                " onclick=",
                " src=\"http",
                "@import",
            ] {
                assert!(!html.contains(forbidden), "{path}: {forbidden}");
            }
            let stylesheets = html
                .matches("<link rel=\"stylesheet\" href=\"/style.css?")
                .count();
            assert_eq!(
                (stylesheets, html.matches("<link ").count()),
                (1, 2),
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
        ] {
            assert!(matches!(PAGES.find(path), Found::Asset(_)), "{path}");
        }
        assert_eq!(
            PAGES.find("/docs/tutorial"),
            Found::Redirect("/docs/tutorial/")
        );
    }
}
