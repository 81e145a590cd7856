//! Style sheets and scripts, made small.

/// `css` without comments and without the spaces that mean nothing.
pub(crate) fn style(css: &str) -> String {
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

/// `text` of a script without the lines that are comments, and without indentation. Texts of several lines would lose theirs, too.
pub(crate) fn script(text: &str) -> String {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"));
    let mut out = String::new();
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Takes the indentation and the empty lines out of everything but code blocks.
pub(crate) fn page(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("<pre") {
        squeeze(&rest[..at], &mut out);
        let end = rest[at..]
            .find("</pre>")
            .map_or(rest.len(), |length| at + length + 6);
        out.push_str(&rest[at..end]);
        rest = &rest[end..];
    }
    squeeze(rest, &mut out);
    out
}

fn squeeze(part: &str, out: &mut String) {
    for line in part.split_inclusive('\n') {
        let text = line.trim_start();
        if text.trim_end().is_empty() {
            if !out.ends_with('\n') && line.ends_with('\n') {
                out.push('\n');
            }
            continue;
        }
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_that_mean_something_stay() {
        assert_eq!(
            style("/* x */\na b,\nc {\n  margin: 0 auto;\n  width: calc(1px + 2px);\n}\n"),
            "a b,c{margin:0 auto;width:calc(1px + 2px)}"
        );
        assert_eq!(
            style("@media (a: b) and (c) { :root .x:hover > y { top: 0 } }"),
            "@media (a:b) and (c){:root .x:hover > y{top:0}}"
        );
    }

    #[test]
    fn scripts_lose_comments_and_indentation() {
        assert_eq!(
            script("// a\nif (b) {\n  // c\n  d('//');\n\n}\n"),
            "if (b) {\nd('//');\n}\n"
        );
    }

    #[test]
    fn code_keeps_its_indentation() {
        let html = "  <p>\n\n    text\n  </p>\n<pre><code>  a\n\n    b</code></pre>\n\n  <p>\n";
        assert_eq!(
            page(html),
            "<p>\ntext\n</p>\n<pre><code>  a\n\n    b</code></pre>\n<p>\n"
        );
    }
}
