//! On bare metal: ring's routines in assembly.
//!
//! ring's own build script makes them for operating systems that it knows by name, while its Rust code uses them on every x86_64. They ask for nothing of an
//! operating system but the calling convention and the object format, in which bare metal here is like Linux; so this makes them of ring's sources.

use std::env::{self, VarError};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version whose list of files is known here. Its symbols have it in their names, so another one would not link.
const RING: &str = "ring-0.17.14";

/// What ring has besides what it generates.
const MORE: [&str; 2] = [
    "third_party/fiat/asm/fiat_curve25519_adx_mul.S",
    "third_party/fiat/asm/fiat_curve25519_adx_square.S",
];

fn main() -> Result<(), VarError> {
    println!("cargo:rerun-if-changed=build.rs");
    let (os, arch) = (
        env::var("CARGO_CFG_TARGET_OS")?,
        env::var("CARGO_CFG_TARGET_ARCH")?,
    );
    if os != "none" || arch != "x86_64" {
        return Ok(());
    }
    let ring = ring();
    let generated = ring.join("pregenerated");
    let mut files: Vec<PathBuf> = fs::read_dir(&generated)
        .expect("a package of ring has this folder")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| is_ours(path))
        .collect();
    files.sort();
    files.extend(MORE.map(|file| ring.join(file)));
    cc::Build::new()
        .files(&files)
        .include(ring.join("include"))
        .include(generated)
        .compile("ring_assembly");
    Ok(())
}

/// Whether it is for this processor, in ELF.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.contains("x86_64") && name.ends_with("-elf.S"))
}

/// Where cargo has ring's sources.
fn ring() -> PathBuf {
    let cargo = env::var_os("CARGO").expect("cargo says where it is");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--offline"])
        .output()
        .expect("cargo can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    // A path in JSON, between quotes; a package's manifest is named once.
    let end = text
        .find(&format!("/{RING}/Cargo.toml\""))
        .unwrap_or_else(|| panic!("cargo knows no {RING}"));
    let start = text[..end].rfind('"').map_or(0, |quote| quote + 1);
    Path::new(&text[start..end]).join(RING)
}
