//! What a hostile peer may do: the inputs that fuzzing has kept are replayed here.

mod check;
mod journal;
mod load;

use std::fs;
use std::path::Path;

use morgana_mutate::Corpus;
use proptest::prelude::*;

#[test]
fn the_corpus_is_borne() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/xenstore_store");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the corpus is in the repository")
        .map(|entry| entry.expect("the corpus can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let input = fs::read(&file).expect("the corpus can be read");
        println!("{}", file.display());
        check::check(&input);
    }
}

#[test]
fn any_state_is_borne() {
    for target in ["xenstore_state", "xenstore_migration"] {
        let corpus = Corpus::of(target);
        corpus.replay(load::check);
        corpus.mutate(10_000, load::check);
    }
}

#[test]
fn any_journal_is_borne() {
    let corpus = Corpus::of("xenstore_journal");
    corpus.replay(journal::check);
    corpus.mutate(10_000, journal::check);
}

#[test]
fn a_damaged_journal_is_recovered_up_to_the_damage() {
    let script = [
        step_of(0, 11, b"/local/domain/1/a\0value"),
        step_of(0, 14, b"/local/domain/1\0n1\0"),
        step_of(1, 11, b"b\0other"),
        step_of(1, 4, b"b\0token\0"),
        step_of(1, 6, b"\0"),
        step_of(1, 5, b"b\0token\0"),
        step_of(0, 13, b"/local/domain/1/a\0"),
    ];
    check::run(&script.concat()).check_damage();
}

/// A step of a script outside of transactions.
fn step_of(who: u8, code: u8, payload: &[u8]) -> Vec<u8> {
    [&[who, code, 0, payload.len() as u8], payload].concat()
}

/// A step of a script, more often one that makes sense than bytes alone would be.
fn step() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&[u8]; 16] = [
        b"/\0",
        b"a\0",
        b"a/b\0",
        b"/local/domain/1\0",
        b"/local/domain/1/a\0",
        b"/local/domain/2\0",
        b"@releaseDomain\0",
        b"@releaseDomain/1\0",
        b"n1\0",
        b"b0\0r2\0",
        b"1\0",
        b"2\0",
        b"T\0",
        b"F\0",
        b"nodes\0",
        b"t",
    ];
    let words = prop::collection::vec(0..WORDS.len(), 0..4);
    (0..4u8, 0..33u8, 0..4u8, words).prop_map(|(who, code, transaction, words)| {
        let payload: Vec<u8> = words
            .iter()
            .flat_map(|&word| WORDS[word])
            .copied()
            .collect();
        let mut step = vec![who, code, transaction, payload.len() as u8];
        step.extend(payload);
        step
    })
}

proptest! {
    #[test]
    fn any_script_is_borne(script in prop::collection::vec(step(), 0..60)) {
        check::check(&script.concat());
    }
}
