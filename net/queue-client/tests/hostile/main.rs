//! Services that answer anything.

mod check;

use morgana_mutate::Corpus;

#[test]
fn the_corpus_holds() {
    Corpus::of("queue_client").replay(check::check);
}

#[test]
fn what_is_made_of_it_holds() {
    Corpus::of("queue_client").mutate(5000, check::check);
}
