//! Texts of every kind for the control interface.

mod check;

use morgana_mutate::Corpus;

#[test]
fn the_corpus_holds() {
    Corpus::of("balancer_json").replay(check::check);
}

#[test]
fn what_is_made_of_it_holds() {
    Corpus::of("balancer_json").mutate(20_000, check::check);
}
