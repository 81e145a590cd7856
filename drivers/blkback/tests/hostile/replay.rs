//! Scripts that a fuzzer has found worth keeping, and some at random.

use std::path::Path;

use proptest::prelude::*;

use crate::script::play;

#[test]
fn the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/blkback");
    let mut played = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus is part of the source") {
        play(&std::fs::read(entry.unwrap().path()).unwrap());
        played += 1;
    }
    assert!(played > 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_script_holds(script in prop::collection::vec(any::<u8>(), 0..600)) {
        play(&script);
    }
}
