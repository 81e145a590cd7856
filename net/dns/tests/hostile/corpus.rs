//! Replays the fuzzers' corpora, so that what they once found stays found without them, and tries others made of them.

use morgana_mutate::Corpus;

#[test]
fn queries_and_what_is_made_of_them_pass() {
    let corpus = Corpus::of("dns_query");
    let answered = corpus.replay(crate::query::check);
    assert!(answered.iter().filter(|answered| **answered).count() > 8);
    corpus.mutate(2_000, crate::query::check);
}

#[test]
fn zone_files_and_what_is_made_of_them_pass() {
    let corpus = Corpus::of("dns_zone");
    let whole = corpus.replay(crate::zone::check);
    assert!(whole.iter().filter(|whole| **whole).count() > 2);
    corpus.mutate(1_000, crate::zone::check);
}
