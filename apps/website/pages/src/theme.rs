//! What the project's pages look like: the built-in theme, with an own frame, own pages and more styles.

use morgana_site::Theme;

const FILES: [(&str, &str); 10] = [
    ("404.html", include_str!("../theme/404.html")),
    ("base.html", include_str!("../theme/base.html")),
    ("crate.html", include_str!("../theme/crate.html")),
    ("crates.html", include_str!("../theme/crates.html")),
    ("document.html", include_str!("../theme/document.html")),
    ("favicon.svg", include_str!("../theme/favicon.svg")),
    ("front.html", include_str!("../theme/front.html")),
    ("mirage.html", include_str!("../theme/mirage.html")),
    ("status.html", include_str!("../theme/status.html")),
    ("status.js", include_str!("../theme/status.js")),
];

const MORE_STYLES: &str = include_str!("../theme/own.css");

/// The theme.
pub(crate) fn theme() -> Theme {
    let built_in = Theme::default();
    let styles = built_in.text("style.css").unwrap_or_default();
    let styles = format!("{styles}\n{MORE_STYLES}");
    FILES.iter().fold(
        built_in.with("style.css", &styles),
        |theme, (name, text)| theme.with(name, text),
    )
}
