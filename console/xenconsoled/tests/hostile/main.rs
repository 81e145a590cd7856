//! Guests, stub-domains and helpers that send anything. The inputs that fuzzing has kept are replayed here, and others are made of them.

mod daemon_end;
mod frames;
mod guest;
mod helper_end;
mod link;
mod script;
mod support;
#[path = "../unserved/mod.rs"]
mod unserved;

use morgana_mutate::Corpus;

#[test]
fn a_guest_that_writes_anything_into_its_ring_is_borne() {
    let corpus = Corpus::of("console_guest");
    corpus.replay(guest::check);
    corpus.mutate(300, guest::check);
}

#[test]
fn a_stub_domain_that_sends_anything_is_borne() {
    let corpus = Corpus::of("console_helper");
    corpus.replay(helper_end::check);
    corpus.mutate(300, helper_end::check);
}

#[test]
fn a_helper_that_sends_anything_is_borne() {
    let corpus = Corpus::of("console_link");
    corpus.replay(daemon_end::check);
    corpus.mutate(1_000, daemon_end::check);
}
