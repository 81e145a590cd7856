//! What the generator writes compiles, and holds what went in. The input is `tests/public`, the output `tests/generated`.

use std::fs;
use std::path::{Path, PathBuf};

use morgana_assets::Found;
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
        let kept = fs::read_to_string(here().join("generated").join(file)).unwrap();
        let made = fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(made, kept, "{file}");
    }
}

#[test]
fn the_generated_table_compiles_and_finds_the_files() {
    let index = fs::read(here().join("public/index.html")).unwrap();
    let Found::Asset(page) = SITE.find("/") else {
        panic!("the index page is missing");
    };
    assert_eq!(page.body, index);
    assert_eq!(page.etag, entity_tag(&index));
    assert_eq!(page.content_type, "text/html; charset=utf-8");
    assert_eq!(SITE.find("/notes"), Found::Redirect("/notes/"));
    assert_eq!(SITE.files().len(), 3);
}
