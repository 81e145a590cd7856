use super::*;
use proptest::prelude::*;

const LANGUAGES: [&str; 12] = [
    "rust", "c", "sh", "toml", "ini", "json", "python", "js", "console", "zone", "text", "no-such",
];

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

/// The pieces of a class.
fn of_class(language: &str, code: &str, class: char) -> Vec<String> {
    let html = highlight(language, code);
    html.split(&format!("<span class=\"{class}\">"))
        .skip(1)
        .map(|rest| text(rest.split("</span>").next().unwrap()))
        .collect()
}

proptest! {
    #[test]
    fn colours_change_no_character(code in "[-a-zA-Z0-9'\"#/*\\\\ \n;:=$(){}\\[\\]<&é]{0,80}") {
        for language in LANGUAGES {
            prop_assert_eq!(&text(&highlight(language, &code)), &code, "{}", language);
        }
    }
}

#[test]
fn rust() {
    let code = "#[test]\nlet x: Vec<'a> = r#\"//\"#; // no\nb'\\'' 'é' letter /* a /* b */ c */ 0xff_u8 1..2";
    assert_eq!(of_class("rust", code, 'k'), ["let"]);
    assert_eq!(of_class("rust", code, 's'), ["r#\"//\"#", "'\\''", "'é'"]);
    assert_eq!(of_class("rust", code, 'c'), ["// no", "/* a /* b */ c */"]);
    assert_eq!(of_class("rust", code, 't'), ["Vec", "'a"]);
    assert_eq!(of_class("rust", code, 'a'), ["#[test]"]);
}

#[test]
fn c() {
    let code = "#include <a.h>\nint f(void) { return '\\''; /* \" */ }";
    assert_eq!(of_class("c", code, 'a'), ["#include"]);
    assert_eq!(of_class("c", code, 'k'), ["int", "void", "return"]);
    assert_eq!(of_class("c", code, 'c'), ["/* \" */"]);
}

#[test]
fn shell_and_console() {
    let code = "if [ -n \"$x\" ]; then echo $1 ${y} a#b; fi # all";
    assert_eq!(of_class("sh", code, 'k'), ["if", "then", "fi"]);
    assert_eq!(of_class("sh", code, 't'), ["$1", "${y}"]);
    assert_eq!(of_class("sh", code, 'c'), ["# all"]);
    assert_eq!(of_class("sh", "cat --if x-for", 'k'), [""; 0]);
    let code = "$ ls \\\n  -l\nfile\n$ end";
    assert_eq!(of_class("console", code, 'k'), ["ls \\", "  -l", "end"]);
    assert_eq!(of_class("console", code, 'p'), ["$ ", "$ "]);
}

#[test]
fn settings() {
    let code = "[package.x]\nname = \"a # b\" # c\nx-y.z = [1, true]\nd = { w = 'q' }";
    assert_eq!(of_class("toml", code, 'k'), ["[package.x]", "true"]);
    assert_eq!(of_class("toml", code, 't'), ["name", "x-y.z", "d", "w"]);
    assert_eq!(of_class("toml", code, 's'), ["\"a # b\"", "'q'"]);
    assert_eq!(of_class("toml", code, 'c'), ["# c"]);
    let code = "; c\n[Unit]\nAfter=a;b";
    assert_eq!(of_class("ini", code, 'c'), ["; c"]);
    assert_eq!(of_class("ini", code, 't'), ["After"]);
}

#[test]
fn json() {
    let code = "{\"a\": \"b\", \"c\" : [1, null]}";
    assert_eq!(of_class("json", code, 't'), ["\"a\"", "\"c\""]);
    assert_eq!(of_class("json", code, 's'), ["\"b\""]);
    assert_eq!(of_class("json", code, 'k'), ["null"]);
}

#[test]
fn master_files() {
    let code = "$TTL 1h\n@ 3600 IN SOA ns a. ( 1 ; serial\n) \nx TXT \"A ; b\"";
    assert_eq!(of_class("zone", code, 'a'), ["$TTL"]);
    assert_eq!(of_class("zone", code, 'k'), ["IN", "SOA", "TXT"]);
    assert_eq!(of_class("zone", code, 'n'), ["1h", "3600", "1"]);
    assert_eq!(of_class("zone", code, 'c'), ["; serial"]);
    assert_eq!(of_class("zone", code, 's'), ["\"A ; b\""]);
}
