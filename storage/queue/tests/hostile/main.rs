//! What may be on a device: the inputs that fuzzing has kept are replayed here, and others are made of them.

mod check;

use morgana_mutate::Corpus;

#[test]
fn the_corpus_and_what_is_made_of_it_are_borne() {
    let corpus = Corpus::of("job_queue");
    corpus.replay(check::check);
    corpus.mutate(1000, check::check);
}
