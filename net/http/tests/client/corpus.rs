//! Replays the fuzzer's corpus, and tries others made of it.

use morgana_mutate::Corpus;

use crate::check::check;

#[test]
fn the_corpus_and_what_is_made_of_it_pass() {
    let corpus = Corpus::of("http_response");
    let count = corpus.replay(check).len();
    assert!(count > 8, "only {count} inputs");
    corpus.mutate(5_000, check);
}
