//! `cargo xtask doc`: the API documentation of the portable crates, fit for a site with a strict security policy.

mod policy;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::check::packages::{Package, Whose, packages};
use crate::process;
use crate::progress::Step;
use crate::workspace::{Workspace, cargo};

/// The folders of crates that know no platform, and so are what an application's author reads about.
const PORTABLE: [&str; 9] = [
    "apps/morgana",
    "console",
    "drivers",
    "kernel/abi",
    "kernel/exec",
    "kernel/hal",
    "kernel/ring",
    "net",
    "storage",
];
/// Those among them that are for Linux or for a build only.
const NOT_PORTABLE: [&str; 4] = ["net/tap", "net/usernet", "net/vifs", "storage/file"];

/// No pages of sources, which are most of the bytes; and a page that lists the crates. Both are unstable options of rustdoc.
const OPTIONS: &str = "-Zunstable-options --html-no-source --enable-index-page";

/// Makes `target/site/api`, and `target/site/api.tar` with the same files.
pub(crate) fn run() -> Result<i32> {
    let workspace = Workspace::load()?;
    let crates = portable(&packages(&workspace, Whose::Ours)?, &workspace.root);
    if crates.is_empty() {
        bail!("there is no portable crate");
    }
    let site = workspace.target.join("site");
    // A folder of its own: pages of crates that were documented once would stay for ever.
    let work = site.join("doc");
    if work.join("doc").is_dir() {
        fs::remove_dir_all(work.join("doc")).context("cannot remove the pages of before")?;
    }
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .args(["doc", "--no-deps", "--lib", "--target-dir"])
        .arg(&work)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTDOCFLAGS", OPTIONS);
    for name in &crates {
        command.args(["-p", name]);
    }
    process::loudly(&mut command)?;
    let api = site.join("api");
    if api.is_dir() {
        fs::remove_dir_all(&api).context("cannot remove the pages of before")?;
    }
    fs::rename(work.join("doc"), &api).context("cannot move the pages to their place")?;
    let pages = policy::strict(&api)?;
    let archive = site.join("api.tar");
    pack(&api, &archive)?;
    let bytes = archive.metadata().context("there is no archive")?.len();
    println!("{}: {} crates, {pages} pages", api.display(), crates.len());
    println!("{}: {bytes} bytes", archive.display());
    Ok(0)
}

/// The names of the portable crates' packages.
fn portable(packages: &[Package], root: &Path) -> Vec<String> {
    let below = |folder: &str, prefixes: &[&str]| {
        prefixes.iter().any(|prefix| {
            folder
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let mut names: Vec<String> = packages
        .iter()
        .filter(|package| {
            let folder = package.folder(root);
            let library = package
                .targets
                .iter()
                .any(|target| target.kind.iter().any(|kind| kind == "lib"));
            library && below(&folder, &PORTABLE) && !below(&folder, &NOT_PORTABLE)
        })
        .map(|package| package.name.clone())
        .collect();
    names.sort();
    names
}

/// The files keep their times: by them a server tells browsers what has changed.
fn pack(folder: &Path, archive: &Path) -> Result<()> {
    let _step = Step::spinner("packing the documentation");
    let mut command = Command::new("tar");
    command
        .args(["--format=ustar", "--sort=name", "--owner=0"])
        .args(["--group=0", "--numeric-owner", "--mode=a=r,u+w,a+X", "-cf"])
        .arg(archive)
        .arg("-C")
        .arg(folder)
        .arg(".");
    process::quietly(&mut command)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::portable;
    use crate::check::packages::{CrateTarget, Package};

    #[test]
    fn libraries_that_know_no_platform() {
        let package = |folder: &str, kind: &str| Package {
            name: folder.into(),
            version: "0.1.0".into(),
            license: None,
            source: None,
            manifest_path: PathBuf::from(format!("/w/{folder}/Cargo.toml")),
            dependencies: Vec::new(),
            targets: vec![CrateTarget {
                kind: vec![kind.into()],
                src_path: PathBuf::new(),
            }],
        };
        let packages = [
            package("net/http", "lib"),
            package("network/x", "lib"),
            package("net/tap", "lib"),
            package("net/program", "bin"),
            package("kernel/pv", "lib"),
            package("kernel/hal", "lib"),
        ];
        assert_eq!(
            portable(&packages, Path::new("/w")),
            ["kernel/hal", "net/http"]
        );
    }
}
