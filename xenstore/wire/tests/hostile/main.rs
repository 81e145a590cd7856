//! What a hostile peer may do: the inputs that fuzzing has kept are replayed here.

mod check;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_is_borne() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/xenstore_wire");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the corpus is in the repository")
        .map(|entry| entry.expect("the corpus can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let input = fs::read(&file).expect("the corpus can be read");
        println!("{}", file.display());
        check::check(&input);
    }
}
