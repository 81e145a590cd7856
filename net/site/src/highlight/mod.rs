//! Colours in code blocks: comments, strings, keywords, numbers, names, and the prompt of a console. No more, so that it is never far wrong.
//!
//! The colours are classes, one letter each, for a style sheet to give them: `c` a comment, `s` a string, `k` a keyword, `n` a number, `t` a type, a
//! key or a variable, `a` an attribute or a directive, `p` a prompt.

mod console;
mod languages;
mod scan;
#[cfg(test)]
mod tests;
mod zone;

use crate::escape::escape;

/// The HTML of `code`, which is written in `language`; of a language that is not known, it is plain text.
pub(crate) fn highlight(language: &str, code: &str) -> String {
    match language {
        "console" => console::console(code),
        "zone" => zone::zone(code),
        _ => match languages::named(language) {
            Some(language) => scan::scan(language, code),
            None => escape(code),
        },
    }
}

/// What a piece of code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Plain,
    Comment,
    String,
    Keyword,
    Number,
    Name,
    Attribute,
    Prompt,
}

/// Adds `text` to `out`.
fn put(out: &mut String, class: Class, text: &str) {
    let class = match class {
        Class::Plain => return out.push_str(&escape(text)),
        Class::Comment => 'c',
        Class::String => 's',
        Class::Keyword => 'k',
        Class::Number => 'n',
        Class::Name => 't',
        Class::Attribute => 'a',
        Class::Prompt => 'p',
    };
    if !text.is_empty() {
        out.push_str(&format!("<span class=\"{class}\">{}</span>", escape(text)));
    }
}
