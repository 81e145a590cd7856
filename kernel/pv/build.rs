//! Makes the linker script of the Xen target findable from whatever package links an image.

use std::path::Path;

fn main() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../targets");
    println!(
        "cargo:rerun-if-changed={}",
        targets.join("xen.ld").display()
    );
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        println!("cargo:rustc-link-search=native={}", targets.display());
    }
}
