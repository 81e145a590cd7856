//! What the generator writes compiles, and holds what went in. The input is `tests/public`, the output `tests/generated`.

use std::fs;
use std::path::{Path, PathBuf};

use morgana_assets::{Content, Found};
use morgana_assets_build::{Set, entity_tag};

include!("generated/SITE.rs");

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The folder's set, written again.
fn fresh() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut set = Set::new();
    set.add_folder(&here().join("public")).unwrap();
    set.write("SITE", &folder).unwrap();
    folder
}

#[test]
fn the_generated_table_is_the_one_kept_here() {
    let folder = fresh();
    for file in ["SITE.rs", "SITE.bin"] {
        let kept = fs::read(here().join("generated").join(file)).unwrap();
        let made = fs::read(folder.join(file)).unwrap();
        assert!(made == kept, "{file}: {}", folder.display());
    }
}

#[test]
fn the_generated_table_compiles_and_finds_the_files() {
    let index = include_bytes!("public/index.html");
    let Found::Asset(page) = SITE.find("/") else {
        panic!("the index page is missing");
    };
    assert_eq!(page.content, Content::Plain(index));
    assert_eq!(page.etag, entity_tag(index));
    assert_eq!(page.content_type, "text/html; charset=utf-8");
    assert_eq!(SITE.find("/notes"), Found::Redirect("/notes/"));
    assert_eq!(SITE.files().len(), 4);
}

#[test]
fn a_long_text_is_packed_and_comes_out_as_it_was() {
    let text = fs::read(here().join("public/long.txt")).unwrap();
    let Found::Asset(file) = SITE.find("/long.txt") else {
        panic!("the text is missing");
    };
    let Content::Packed(packed) = file.content else {
        panic!("it is not packed");
    };
    assert_eq!(packed.length, text.len());
    assert_eq!(packed.gzip.etag, format!("{}-gz", file.etag));
    assert!(file.content.stored_bytes() < text.len());
    assert_eq!(file.content.unpack().unwrap(), text);
}
