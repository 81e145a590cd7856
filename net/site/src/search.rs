//! The index that the search script reads.
//!
//! It is JSON, an object with three members. `pages` has an array for each page: its path, its title, and in turn the id and the text of each heading.
//! `common` has the words that so many pages have that searching for them finds nothing out. `words` is a string, which has all other words in
//! alphabetical order, one a line: how many characters it shares with the word before it (in base 36, one digit), the rest of it, a space, and the pages that
//! have it. Of these, the first is a number and each other one the distance from the one before it, in base 36 with commas between them.
//!
//! So the index of a site is a fraction of its text. What a search shows of a page, the script takes from the page itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::Page;

/// Longer words are cut.
const LONGEST_WORD: usize = 24;
/// A word of more than this share of the pages is common: 1 in 2.
const COMMON: usize = 2;

/// The index of `pages`.
pub(crate) fn index(pages: &[&Page]) -> String {
    let mut words: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (number, page) in pages.iter().enumerate() {
        for text in [&page.title, &page.words] {
            for word in words_of(text) {
                words.entry(word).or_default().insert(number);
            }
        }
    }
    let enough_pages = pages.len() > 8;
    let is_common = |pages_with: usize| enough_pages && pages_with * COMMON > pages.len();
    let common: Vec<String> = words
        .iter()
        .filter(|(_, with)| is_common(with.len()))
        .map(|(word, _)| quoted(word))
        .collect();
    words.retain(|_, with| !is_common(with.len()));
    let entries: Vec<String> = pages.iter().map(|page| entry(page)).collect();
    format!(
        "{{\"pages\":[{}],\n\"common\":[{}],\n\"words\":{}}}\n",
        entries.join(",\n"),
        common.join(","),
        quoted(&listed(&words))
    )
}

fn entry(page: &Page) -> String {
    let headings = page
        .headings
        .iter()
        .flat_map(|heading| [heading.id.as_str(), heading.text.as_str()]);
    let texts: Vec<String> = [page.url.as_str(), page.title.as_str()]
        .into_iter()
        .chain(headings)
        .map(quoted)
        .collect();
    format!("[{}]", texts.join(","))
}

/// The words of a text that are searched for: in lower case, of two characters or more. The script does the same with what is typed.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(|word| {
            let lower = word.to_lowercase();
            lower.chars().take(LONGEST_WORD).collect::<String>()
        })
        .filter(|word| word.chars().count() > 1)
}

fn listed(words: &BTreeMap<String, BTreeSet<usize>>) -> String {
    let mut out = String::new();
    let mut before: &str = "";
    for (word, pages) in words {
        let shared = before
            .char_indices()
            .zip(word.chars())
            .take_while(|((_, a), b)| a == b)
            .count();
        let rest: String = word.chars().skip(shared).collect();
        // Writing to a String cannot fail.
        let _ = write!(out, "{}{rest} ", base_36(shared));
        let mut last = 0;
        for (position, page) in pages.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            let _ = write!(out, "{comma}{}", base_36(page - last));
            last = *page;
        }
        out.push('\n');
        before = word;
    }
    out
}

fn base_36(mut number: usize) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[number % 36]));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// A string of JSON (RFC 8259, section 7). Where it stands, no HTML is read; `<` is written as an escape all the same.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '<' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_listed_with_their_pages() {
        let words = [
            ("port", vec![0, 40]),
            ("ports", vec![1]),
            ("zone", vec![2, 3]),
        ];
        let words: BTreeMap<String, BTreeSet<usize>> = words
            .into_iter()
            .map(|(word, pages)| (word.into(), pages.into_iter().collect()))
            .collect();
        assert_eq!(listed(&words), "0port 0,14\n4s 1\n0zone 2,1\n");
    }

    #[test]
    fn words_are_cut_and_lowered() {
        let words: Vec<String> = words_of("A Ring's `grant_ref`: É1, 0x10").collect();
        assert_eq!(words, ["ring", "grant", "ref", "é1", "0x10"]);
        assert_eq!(
            words_of(&"x".repeat(90)).next().unwrap().len(),
            LONGEST_WORD
        );
    }

    #[test]
    fn strings_are_json() {
        assert_eq!(
            quoted("a\"\\\n\u{1}</é"),
            "\"a\\\"\\\\\\n\\u0001\\u003c/é\""
        );
    }

    #[test]
    fn numbers() {
        assert_eq!([0, 35, 36, 1296].map(base_36), ["0", "z", "10", "100"]);
    }
}
