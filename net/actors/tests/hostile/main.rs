//! What a hostile peer may send: the inputs that are kept are replayed here, and others are made of them.

mod check;

use morgana_mutate::Corpus;

#[test]
fn the_corpus_and_what_is_made_of_it_are_borne() {
    let corpus = Corpus::of("actors_link");
    corpus.replay(check::check);
    corpus.mutate(3_000, check::check);
}
