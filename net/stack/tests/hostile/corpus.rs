//! The corpus of the fuzz target, and random inputs.

use std::fs;
use std::path::Path;

use morgana_net_device::SplitMix;

use crate::check::check;

#[test]
fn the_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/stack_frames");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        check(&fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed > 10);
}

#[test]
fn random_scripts_hold() {
    let mut random = SplitMix::new(1);
    for _ in 0..400 {
        let len = random.below(400);
        let input: Vec<u8> = (0..len).map(|_| random.next_u64() as u8).collect();
        check(&input);
    }
}
