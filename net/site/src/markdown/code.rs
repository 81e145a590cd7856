//! Code blocks.

use pulldown_cmark::CodeBlockKind;

use crate::escape::escape;
use crate::highlight::highlight;

/// What a code block is written in if it does not say so.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Untagged {
    /// Plain text.
    #[default]
    Text,
    /// Rust, as rustdoc takes it.
    Rust,
}

/// A code block as HTML. It can be scrolled by keyboard.
pub(super) fn block(language: &str, code: &str) -> String {
    let shown = match language {
        "rust" => visible(code),
        _ => code.to_owned(),
    };
    format!(
        "<pre class=\"{}\" tabindex=\"0\"><code>{}</code></pre>\n",
        escape(language),
        highlight(language, shown.trim_end())
    )
}

/// The language of a code block, in rustdoc's or the usual notation.
pub(super) fn language(kind: &CodeBlockKind<'_>, untagged: Untagged) -> String {
    let tag = match kind {
        CodeBlockKind::Fenced(tag) => tag.split(',').next().unwrap_or("").trim(),
        CodeBlockKind::Indented => "",
    };
    match (tag, untagged) {
        ("", Untagged::Text) => "text",
        ("" | "no_run" | "ignore" | "should_panic" | "compile_fail", _) => "rust",
        (tag, _) => tag,
    }
    .into()
}

/// What rustdoc shows of an example: not the lines that begin with a lone `#`.
fn visible(code: &str) -> String {
    let hidden = |line: &str| line == "#" || line.starts_with("# ");
    let lines: Vec<&str> = code
        .lines()
        .filter(|line| !hidden(line.trim_start()))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_lines_of_an_example_stay_hidden() {
        assert_eq!(
            visible("use a;\n# fn main() {\n#\n#[b]\n  c();\n# }"),
            "use a;\n#[b]\n  c();"
        );
    }

    #[test]
    fn a_code_block_without_a_language_is_rust_in_a_crate() {
        let kind = CodeBlockKind::Fenced("".into());
        assert_eq!(language(&kind, Untagged::Text), "text");
        assert_eq!(language(&kind, Untagged::Rust), "rust");
        let kind = CodeBlockKind::Fenced("rust,ignore".into());
        assert_eq!(language(&kind, Untagged::Text), "rust");
    }
}
