use std::path::Path;

use crate::theme::theme;

fn styles() -> String {
    theme().text("style.css").unwrap().to_owned()
}

/// The value of the custom property `--name` in `block`, as red, green and blue from 0 to 1.
fn colour(block: &str, name: &str) -> [f64; 3] {
    let (_, rest) = block.split_once(&format!("--{name}: #")).unwrap();
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&rest[at..at + 2], 16).unwrap()) / 255.0)
}

/// Relative luminance (WCAG 2.2, "relative luminance").
fn luminance(colour: [f64; 3]) -> f64 {
    let [r, g, b] = colour.map(|c| {
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// WCAG 2.2: at least 4.5 : 1 for text (success criterion 1.4.3, AA), and 3 : 1 for the edges of fields (1.4.11).
#[test]
fn text_stands_out_in_light_and_dark() {
    let styles = styles();
    let (light, dark) = styles.split_once("prefers-color-scheme: dark").unwrap();
    for (scheme, block) in [("light", light), ("dark", dark)] {
        for (text, ground, least) in [
            ("ink", "paper", 4.5),
            ("ink", "raised", 4.5),
            ("ink", "mark", 4.5),
            ("soft", "paper", 4.5),
            ("soft", "raised", 4.5),
            ("soft", "code", 4.5),
            ("accent", "paper", 4.5),
            ("accent", "raised", 4.5),
            ("keyword", "code", 4.5),
            ("string", "code", 4.5),
            ("number", "code", 4.5),
            ("name", "code", 4.5),
            ("attribute", "code", 4.5),
            ("on-accent", "accent", 4.5),
            ("edge", "raised", 3.0),
        ] {
            let [a, b] = [text, ground].map(|name| luminance(colour(block, name)));
            let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(
                ratio >= least,
                "{scheme}: {text} on {ground} is {ratio:.2} : 1"
            );
        }
    }
}

#[test]
fn the_style_sheet_loads_nothing() {
    for forbidden in ["url(", "@import", "@font-face"] {
        assert!(!styles().contains(forbidden), "{forbidden}");
    }
}

/// The front page's figures come from the README: a row that was renamed there has to be renamed in `figures.rs`.
#[test]
fn the_readme_has_the_front_pages_figures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert_eq!(crate::figures::figures(&readme).len(), 4);
}
