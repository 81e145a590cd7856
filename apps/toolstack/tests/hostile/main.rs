//! Texts of every kind that are said to be configurations.

mod check;

use morgana_mutate::Corpus;

#[test]
fn the_corpus_holds() {
    Corpus::of("domain_config").replay(check::check);
}

#[test]
fn what_is_made_of_it_holds() {
    Corpus::of("domain_config").mutate(10_000, check::check);
}
