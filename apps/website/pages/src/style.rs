//! The style sheet, made small.

/// `css` without comments and without the spaces that mean nothing.
pub(crate) fn minimise(css: &str) -> String {
    let mut bare = String::new();
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        bare.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    bare.push_str(rest);

    let mut out = String::new();
    for word in bare.split_whitespace() {
        let glued =
            out.ends_with(['{', '}', ';', ',', ':']) || word.starts_with(['{', '}', ';', ',']);
        if !out.is_empty() && !glued {
            out.push(' ');
        }
        if word.starts_with('}') && out.ends_with(';') {
            out.pop();
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_that_mean_something_stay() {
        assert_eq!(
            minimise("/* x */\na b,\nc {\n  margin: 0 auto;\n  width: calc(1px + 2px);\n}\n"),
            "a b,c{margin:0 auto;width:calc(1px + 2px)}"
        );
        assert_eq!(
            minimise("@media (a: b) and (c) { :root .x:hover > y { top: 0 } }"),
            "@media (a:b) and (c){:root .x:hover > y{top:0}}"
        );
    }

    const THEME: &str = include_str!("../theme/style.css");

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

    /// WCAG 2.2, success criterion 1.4.3 (AA): at least 4.5 : 1 for text.
    #[test]
    fn text_stands_out_in_light_and_dark() {
        let (light, dark) = THEME.split_once("prefers-color-scheme: dark").unwrap();
        for (scheme, block) in [("light", light), ("dark", dark)] {
            for (text, ground) in [
                ("ink", "paper"),
                ("ink", "raised"),
                ("soft", "paper"),
                ("soft", "code"),
                ("accent", "paper"),
                ("keyword", "code"),
                ("string", "code"),
                ("on-accent", "accent"),
            ] {
                let [a, b] = [text, ground].map(|name| luminance(colour(block, name)));
                let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(
                    ratio >= 4.5,
                    "{scheme}: {text} on {ground} is {ratio:.2} : 1"
                );
            }
        }
    }

    #[test]
    fn the_style_sheet_loads_nothing() {
        for forbidden in ["url(", "@import", "@font-face"] {
            assert!(!THEME.contains(forbidden), "{forbidden}");
        }
    }
}
