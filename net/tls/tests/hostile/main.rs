//! What a hostile client may send, and a hostile server: the inputs that fuzzing has kept are replayed here, and others are made of them.

mod check;

use morgana_mutate::Corpus;

#[test]
fn the_corpus_and_what_is_made_of_it_are_borne() {
    for (corpus, check) in [
        (Corpus::of("tls_server"), check::server as fn(&[u8])),
        (Corpus::of("tls_client"), check::client),
    ] {
        corpus.replay(check);
        corpus.mutate(200, check);
    }
}
