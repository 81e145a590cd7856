//! Colours in code blocks: comments, strings and keywords, and the prompt of a console. No more, so that it is never far wrong.

use crate::escape::escape;

/// The HTML of `code`, which is written in `language`.
pub(crate) fn highlight(language: &str, code: &str) -> String {
    match language {
        "rust" => rust(code),
        "sh" | "toml" | "python" => lines(code, |line| match comment_at(line) {
            Some(at) => format!("{}{}", escape(&line[..at]), span("c", &line[at..])),
            None => escape(line),
        }),
        "console" => lines(code, |line| match line.strip_prefix("$ ") {
            Some(command) => format!("<span class=\"p\">$ </span>{}", span("k", command)),
            None => escape(line),
        }),
        _ => escape(code),
    }
}

fn span(class: &str, text: &str) -> String {
    format!("<span class=\"{class}\">{}</span>", escape(text))
}

fn lines(code: &str, each: impl Fn(&str) -> String) -> String {
    code.lines().map(each).collect::<Vec<_>>().join("\n")
}

/// Where a `#` comment begins: at the line's start, or after a space.
fn comment_at(line: &str) -> Option<usize> {
    if line.starts_with('#') {
        return Some(0);
    }
    line.find(" #").map(|at| at + 1)
}

/// Rust's keywords (The Rust Reference, "Keywords") that occur in examples.
const KEYWORDS: [&str; 36] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "static", "struct", "super", "trait", "true", "type", "use", "where",
    "while",
];

fn rust(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (length, class) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), Some("c"))
        } else if first == '"' {
            (string_length(rest), Some("s"))
        } else if first.is_alphabetic() || first == '_' {
            let length = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            (length, KEYWORDS.contains(&&rest[..length]).then_some("k"))
        } else {
            (first.len_utf8(), None)
        };
        let (token, after) = rest.split_at(length);
        match class {
            Some(class) => out.push_str(&span(class, token)),
            None => out.push_str(&escape(token)),
        }
        rest = after;
    }
    out
}

/// The length of the string literal at the start of `text`, with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader sees: the HTML without its tags.
    fn text(html: &str) -> String {
        let mut out = String::new();
        let mut tag = false;
        for c in html.chars() {
            match c {
                '<' => tag = true,
                '>' => tag = false,
                c if !tag => out.push(c),
                _ => {}
            }
        }
        out.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }

    #[test]
    fn colours_change_no_character() {
        let code = "let s = \"a \\\" // b\"; // é <c>\nfn main<'a>() { x.await }\n\"open";
        for language in ["rust", "sh", "toml", "text", "console"] {
            assert_eq!(text(&highlight(language, code)), code, "{language}");
        }
    }

    #[test]
    fn rust_tokens() {
        assert_eq!(
            highlight("rust", "let x = \"//\"; // no"),
            "<span class=\"k\">let</span> x = <span class=\"s\">&quot;//&quot;</span>; <span class=\"c\">// no</span>"
        );
        assert_eq!(highlight("rust", "letter"), "letter");
    }

    #[test]
    fn console_prompts_and_shell_comments() {
        assert_eq!(
            highlight("console", "$ ls\nfile"),
            "<span class=\"p\">$ </span><span class=\"k\">ls</span>\nfile"
        );
        assert_eq!(
            highlight("sh", "ls # all"),
            "ls <span class=\"c\"># all</span>"
        );
        assert_eq!(highlight("sh", "a#b"), "a#b");
    }
}
