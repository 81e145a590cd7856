//! Images that strangers made: the inputs that fuzzing has kept are replayed here, and others are made of them.

mod check;

use morgana_mutate::Corpus;

#[test]
fn the_corpus_and_what_is_made_of_it_are_borne() {
    let corpus = Corpus::of("builder_image");
    corpus.replay(check::check);
    corpus.mutate(10_000, check::check);
}
