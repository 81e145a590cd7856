//! Tables of questions and answers: each file has zones, and one what is asked of them and what is to be answered.
//!
//! A block of a table is a question, with the answer on the lines below it: code and flags, then records, those of the authority section behind `?`, those of
//! the additional one behind `+`. With `MORGANA_BLESS=1` the answers are written anew: whoever does so has to read them.

use std::fs;
use std::path::Path;

use crate::support::{ask, server};

/// Asks all questions of a table.
fn table(zones: &[&str], table: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server");
    let read = |file: &str| fs::read_to_string(folder.join(file)).expect("a file of this folder");
    let zones: Vec<String> = zones.iter().map(|file| read(file)).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    let mut server = server(&zones);
    let expected = read(table);
    let mut actual = String::new();
    for block in expected.split("\n\n") {
        let question = block.trim_start().lines().next().unwrap_or_default();
        actual.push_str(&format!("{question}\n{}\n", ask(&mut server, question)));
    }
    if std::env::var_os("MORGANA_BLESS").is_some() {
        fs::write(folder.join(table), actual.trim_end()).expect("a folder that can be written to");
        return;
    }
    assert!(expected.split("\n\n").count() > 10);
    for (expected, actual) in expected.split("\n\n").zip(actual.split("\n\n")) {
        assert_eq!(actual.trim_end(), expected.trim_end());
    }
}

/// RFC 1034 section 4.3.2, RFC 2308, RFC 4592, RFC 6672, RFC 8482.
#[test]
fn a_zone_without_signatures() {
    table(&["plain.zone"], "plain.answers");
}

/// RFC 4035 section 3.1.
#[test]
fn a_zone_with_nsec() {
    table(&["nsec.zone"], "nsec.answers");
}

/// RFC 5155 section 7.2, with an insecure delegation that is not in the chain.
#[test]
fn a_zone_with_nsec3_and_opt_out() {
    table(&["nsec3.zone"], "nsec3.answers");
}
