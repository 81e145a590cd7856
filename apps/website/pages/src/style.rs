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
}
