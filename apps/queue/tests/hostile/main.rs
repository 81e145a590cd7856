//! Clients that send anything.

mod check;

use morgana_mutate::Corpus;

#[test]
fn the_corpus_holds() {
    Corpus::of("queue_service").replay(check::check);
}

#[test]
fn what_is_made_of_it_holds() {
    Corpus::of("queue_service").mutate(3000, check::check);
}
