//! Scripts that a fuzzer has found worth keeping, others made of them, and some at random.

use morgana_mutate::Corpus;
use proptest::prelude::*;

use crate::script::play;

#[test]
fn the_corpus_and_what_is_made_of_it_hold() {
    let corpus = Corpus::of("vchan");
    corpus.replay(play);
    corpus.mutate(500, play);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_script_holds(script in prop::collection::vec(any::<u8>(), 0..600)) {
        play(&script);
    }
}
