//! From code to coloured code, by a language's look.

use super::languages::{CommentsBegin, Escapes, Extra, Language, Names, Nesting, Quote};
use super::{Class, put};

/// The HTML of `code`.
pub(super) fn scan(language: &Language, code: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    // Plain text is put as a whole, not letter by letter.
    let mut plain_from = 0;
    while at < code.len() {
        let (class, length) = token(language, code, at);
        if class != Class::Plain {
            put(&mut out, Class::Plain, &code[plain_from..at]);
            put(&mut out, class, &code[at..at + length]);
            plain_from = at + length;
        }
        at += length;
    }
    put(&mut out, Class::Plain, &code[plain_from..]);
    out
}

/// What stands at `at`, and its length in bytes, which is at least 1 and ends between characters.
fn token(language: &Language, code: &str, at: usize) -> (Class, usize) {
    let rest = &code[at..];
    if let Some(length) = comment(language, code, at) {
        return (Class::Comment, length);
    }
    if let Some(found) = extra(language, code, at) {
        return found;
    }
    if let Some(quote) = language.quotes.iter().find(|q| rest.starts_with(q.mark)) {
        let length = string_length(rest, *quote);
        let key =
            language.names == Names::BeforeColon && rest[length..].trim_start().starts_with(':');
        return (if key { Class::Name } else { Class::String }, length);
    }
    let first = rest.chars().next().unwrap_or(' ');
    if first == '$' && language.names == Names::AfterDollar {
        return match variable_length(rest) {
            Some(length) => (Class::Name, length),
            None => (Class::Plain, 1),
        };
    }
    if first.is_alphabetic() || first == '_' {
        let length = word_length(rest, "_");
        let word = &rest[..length];
        if language.names == Names::BeforeEquals && is_key(code, at) {
            let key = word_length(rest, "_-.");
            return (Class::Name, key);
        }
        return (word_class(language, code, at, word), length);
    }
    if first.is_ascii_digit() {
        return (Class::Number, word_length(rest, "_."));
    }
    (Class::Plain, first.len_utf8())
}

fn word_class(language: &Language, code: &str, at: usize, word: &str) -> Class {
    // `--if` and `a.for` are no keywords.
    let joined = code[..at].ends_with(['-', '/', '$']) || code[at + word.len()..].starts_with('-');
    let joined = joined && language.names == Names::AfterDollar;
    if language.keywords.contains(&word) && !joined {
        return Class::Keyword;
    }
    let capital = word.starts_with(|c: char| c.is_uppercase());
    match language.names {
        Names::Capitals if capital => Class::Name,
        _ => Class::Plain,
    }
}

/// The length of the word at the start of `text`, in which the characters `also` may stand, too.
fn word_length(text: &str, also: &str) -> usize {
    let end = text.find(|c: char| !c.is_alphanumeric() && !also.contains(c));
    // A number at a sentence's or a range's end has no point.
    text[..end.unwrap_or(text.len())]
        .trim_end_matches('.')
        .len()
}

/// Whether the word at `at` is the first on its line, and an equals sign follows it.
fn is_key(code: &str, at: usize) -> bool {
    let line_start = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = code[line_start..at].trim();
    let line = code[at..].lines().next().unwrap_or("");
    let inline_table = before.ends_with(['{', ',']);
    let key = word_length(line, "_-.");
    (before.is_empty() || inline_table) && line[key..].trim_start().starts_with('=')
}

fn comment(language: &Language, code: &str, at: usize) -> Option<usize> {
    let rest = &code[at..];
    let begins = language
        .line_comments
        .iter()
        .any(|mark| rest.starts_with(mark));
    let place = language.comments_begin == CommentsBegin::Anywhere
        || at == 0
        || code[..at].ends_with(char::is_whitespace);
    if begins && place {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let (open, close, nesting) = language.block_comment?;
    if !rest.starts_with(open) {
        return None;
    }
    let (mut depth, mut end) = (1, open.len());
    while depth > 0 && end < rest.len() {
        let here = &rest[end..];
        if here.starts_with(close) {
            depth -= 1;
            end += close.len();
        } else if nesting == Nesting::Nested && here.starts_with(open) {
            depth += 1;
            end += open.len();
        } else {
            end += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(end)
}

fn extra(language: &Language, code: &str, at: usize) -> Option<(Class, usize)> {
    let rest = &code[at..];
    let line = rest.lines().next().unwrap_or("");
    let first_on_line = code[..at]
        .rsplit('\n')
        .next()
        .is_some_and(|before| before.trim().is_empty());
    match language.extra {
        Extra::None => None,
        Extra::Rust => rust(code, at),
        Extra::Directives => {
            let word = line.strip_prefix('#')?;
            first_on_line.then(|| {
                let spaces = word.len() - word.trim_start().len();
                (
                    Class::Attribute,
                    1 + spaces + word_length(word.trim_start(), "_"),
                )
            })
        }
        Extra::Sections => {
            let section = line.starts_with('[') && first_on_line;
            let end = line.rfind(']')? + 1;
            (section && !line[..end].contains([',', '"'])).then_some((Class::Keyword, end))
        }
    }
}

fn rust(code: &str, at: usize) -> Option<(Class, usize)> {
    let rest = &code[at..];
    if rest.starts_with("#[") || rest.starts_with("#![") {
        return rest.find(']').map(|end| (Class::Attribute, end + 1));
    }
    if let Some(behind) = rest.strip_prefix('\'') {
        let mut chars = behind.chars();
        let first = chars.next()?;
        if first == '\\' {
            let end = behind[1..]
                .char_indices()
                .skip(1)
                .find(|(_, c)| *c == '\'')?;
            return Some((Class::String, end.0 + 3));
        }
        if chars.next() == Some('\'') {
            return Some((Class::String, first.len_utf8() + 2));
        }
        return Some((Class::Name, 1 + word_length(behind, "_")));
    }
    if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let mark = rest.strip_prefix('b').unwrap_or(rest);
    let hashes = mark.strip_prefix('r')?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    let inner = hashes[count..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(count));
    let before = rest.len() - inner.len();
    let length = inner
        .find(&close)
        .map_or(inner.len(), |end| end + close.len());
    Some((Class::String, before + length))
}

/// The length of the string at the start of `text`, with its quotes; all of `text` if it does not end.
pub(super) fn string_length(text: &str, quote: Quote) -> usize {
    let mut at = quote.mark.len();
    while let Some(c) = text[at..].chars().next() {
        if text[at..].starts_with(quote.mark) {
            return at + quote.mark.len();
        }
        at += c.len_utf8();
        if c == '\\' && quote.escapes == Escapes::Backslash {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `$name`, `${…}` or `$1` at the start of `text`.
fn variable_length(text: &str) -> Option<usize> {
    let name = &text[1..];
    if name.starts_with('{') {
        return name.find('}').map(|end| end + 2);
    }
    if name.starts_with(['@', '*', '#', '?', '$', '!']) {
        return Some(2);
    }
    match word_length(name, "_") {
        0 => None,
        length => Some(length + 1),
    }
}
