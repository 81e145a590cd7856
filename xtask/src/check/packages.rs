//! The packages as `cargo metadata` lists them, as far as the checks look at them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;
use crate::workspace::{Workspace, cargo};

/// A package, ours or another's.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence as an SPDX expression.
    pub(crate) license: Option<String>,
    /// Where it comes from; none for our own.
    pub(crate) source: Option<String>,
    /// Its Cargo.toml.
    pub(crate) manifest_path: PathBuf,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
    /// Its library, programs, tests and so on.
    pub(crate) targets: Vec<CrateTarget>,
}

/// A dependency as a package declares it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// None, `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// The platform that it is for, if not all.
    pub(crate) target: Option<String>,
    /// Its folder, if it is one of ours.
    pub(crate) path: Option<PathBuf>,
}

/// A crate of a package.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CrateTarget {
    /// `lib`, `bin`, `test`, `custom-build`, ...
    pub(crate) kind: Vec<String>,
    /// Its first source file.
    pub(crate) src_path: PathBuf,
}

impl Package {
    /// Its folder below `root`, with slashes.
    pub(crate) fn folder(&self, root: &Path) -> String {
        let folder = self.manifest_path.parent().unwrap_or(Path::new(""));
        folder
            .strip_prefix(root)
            .unwrap_or(folder)
            .to_string_lossy()
            .into_owned()
    }
}

/// Which packages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those of the workspace.
    Ours,
    /// All that are in the lock file.
    All,
    /// All that are in the lock file of [`MACHINES`].
    Machines,
}

/// The program with the foreign providers' crates: a workspace of its own.
pub(crate) const MACHINES: &str = "apps/providers/machines/Cargo.toml";

/// Asks cargo.
pub(crate) fn packages(workspace: &Workspace, whose: Whose) -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .args(["metadata", "--format-version", "1"]);
    match whose {
        Whose::Ours => command.arg("--no-deps"),
        Whose::All => &mut command,
        // A lock file that is not up to date is an error.
        Whose::Machines => command.args(["--locked", "--manifest-path", MACHINES]),
    };
    let text = process::stdout(&mut command)?;
    let metadata: Metadata =
        serde_json::from_str(&text).context("cargo metadata says what is not understood")?;
    Ok(metadata.packages)
}
