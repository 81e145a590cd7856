//! Replays the fuzzer's corpus, so that what it once found stays found without it, and tries others made of it.

use morgana_mutate::Corpus;

use crate::check::check;

#[test]
fn the_corpus_and_what_is_made_of_it_pass() {
    let corpus = Corpus::of("http_request");
    let count = corpus.replay(check).len();
    assert!(count > 20, "only {count} inputs");
    corpus.mutate(2_000, check);
}
