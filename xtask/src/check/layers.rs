//! The layer rule: a package uses what lies below it, and only the top names a platform.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::packages::{Dependency, Package, Whose, packages};
use crate::workspace::Workspace;

/// A layer: where its packages are, and whether it may name a platform.
#[derive(Debug)]
struct Layer {
    name: &'static str,
    /// Folders of packages. A longer one wins over a shorter one.
    folders: &'static [&'static str],
    platforms: Platforms,
}

/// Which dependencies of a layer may be platforms. Those of tests always may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Platforms {
    Never,
    /// Where the manifest says for which target.
    PerTarget,
    Always,
}

/// From the bottom to the top. A package may use its own layer and those above it in this table.
const LAYERS: [Layer; 9] = [
    Layer {
        name: "ABI",
        folders: &["kernel/abi"],
        platforms: Platforms::Never,
    },
    Layer {
        name: "kernel",
        folders: &[
            "kernel/hal",
            "kernel/ring",
            "kernel/exec",
            "kernel/reactor",
            "kernel/uring",
            "kernel/builder",
        ],
        platforms: Platforms::Never,
    },
    Layer {
        name: PLATFORM,
        folders: &["kernel/pv", "kernel/linux", "kernel/emul"],
        platforms: Platforms::Never,
    },
    // The drivers' handshake goes through xenstore, so its client lies below them.
    Layer {
        name: "xenstore client",
        folders: &["xenstore/wire", "xenstore/client"],
        platforms: Platforms::Never,
    },
    // A front end is a block device and a back end serves one, so the trait lies with the drivers.
    Layer {
        name: "drivers",
        folders: &["drivers", "storage/block"],
        platforms: Platforms::Never,
    },
    Layer {
        name: "services",
        folders: &["net", "storage", "xenstore", "console"],
        platforms: Platforms::Never,
    },
    Layer {
        name: "facade",
        folders: &[
            "apps/morgana",
            "apps/linux",
            "apps/daemon",
            "apps/native",
            "apps/command",
        ],
        platforms: Platforms::Always,
    },
    Layer {
        name: "apps",
        folders: &["apps"],
        platforms: Platforms::PerTarget,
    },
    Layer {
        name: "tests and tools",
        folders: &["tests", "xtask", "fuzz"],
        platforms: Platforms::Always,
    },
];

const PLATFORM: &str = "platform";

/// The place of a folder in the table.
fn layer(folder: &str) -> Option<usize> {
    let fits = |prefix: &str| {
        folder == prefix
            || folder
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let places = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(index, layer)| layer.folders.iter().map(move |prefix| (index, *prefix)));
    places
        .filter(|(_, prefix)| fits(prefix))
        .max_by_key(|(_, prefix)| prefix.len())
        .map(|(index, _)| index)
}

/// Checks every arrow between our packages.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let wrong = violations(&packages(workspace, Whose::Ours)?, &workspace.root)?;
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

fn violations(packages: &[Package], root: &Path) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for package in packages {
        let folder = package.folder(root);
        let from = layer(&folder)
            .with_context(|| format!("{folder} is in no layer of xtask/src/check/layers.rs"))?;
        for dependency in &package.dependencies {
            let Some(path) = &dependency.path else {
                continue;
            };
            let target = path
                .strip_prefix(root)
                .unwrap_or(path)
                .to_string_lossy()
                .into_owned();
            let to = layer(&target)
                .with_context(|| format!("{target} is in no layer of xtask/src/check/layers.rs"))?;
            if let Some(why) = violation(from, to, dependency) {
                wrong.push(format!(
                    "{} ({folder}) uses {} ({target}): {why}",
                    package.name, dependency.name
                ));
            }
        }
    }
    Ok(wrong)
}

fn violation(from: usize, to: usize, dependency: &Dependency) -> Option<String> {
    if dependency.kind.as_deref() == Some("dev") {
        return None;
    }
    let (above, below) = (&LAYERS[from], &LAYERS[to]);
    if to > from {
        return Some(format!("{} lies above {}", below.name, above.name));
    }
    if below.name == PLATFORM && above.name != PLATFORM {
        let allowed = match above.platforms {
            Platforms::Never => false,
            Platforms::PerTarget => dependency.target.is_some(),
            Platforms::Always => true,
        };
        if !allowed {
            return Some(format!("{} must not name a platform", above.name));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{layer, violations};
    use crate::check::packages::{Dependency, Package};

    fn package(folder: &str, uses: &str, kind: Option<&str>, target: Option<&str>) -> Vec<Package> {
        let dependency = Dependency {
            name: uses.into(),
            kind: kind.map(str::to_owned),
            target: target.map(str::to_owned),
            path: Some(Path::new("/w").join(uses)),
        };
        vec![Package {
            name: folder.into(),
            version: "0.1.0".into(),
            license: None,
            source: None,
            manifest_path: PathBuf::from(format!("/w/{folder}/Cargo.toml")),
            dependencies: vec![dependency],
            targets: Vec::new(),
        }]
    }

    fn wrong(folder: &str, uses: &str) -> usize {
        violations(&package(folder, uses, None, None), Path::new("/w"))
            .unwrap()
            .len()
    }

    #[test]
    fn arrows_point_down() {
        assert_eq!(wrong("net/stack", "kernel/hal"), 0);
        assert_eq!(wrong("drivers/xenbus", "xenstore/client"), 0);
        assert_eq!(wrong("net/http", "net/stack"), 0);
        assert_eq!(wrong("kernel/hal", "kernel/abi"), 0);
        assert_eq!(wrong("kernel/hal", "drivers/netif"), 1);
        assert_eq!(wrong("drivers/netfront", "net/stack"), 1);
        assert_eq!(wrong("xenstore/client", "xenstore/store"), 1);
        assert_eq!(wrong("kernel/abi", "kernel/hal"), 1);
        assert_eq!(wrong("net/stack", "apps/morgana"), 1);
    }

    #[test]
    fn only_the_top_names_a_platform() {
        assert_eq!(wrong("net/stack", "kernel/emul"), 1);
        assert_eq!(wrong("kernel/ring", "kernel/pv"), 1);
        assert_eq!(wrong("apps/morgana", "kernel/pv"), 0);
        assert_eq!(wrong("apps/website", "kernel/pv"), 1);
        assert_eq!(wrong("tests/guests/probe", "kernel/pv"), 0);
        let named = package(
            "apps/website",
            "kernel/pv",
            None,
            Some("cfg(target_os = \"none\")"),
        );
        assert!(violations(&named, Path::new("/w")).unwrap().is_empty());
    }

    #[test]
    fn tests_may_use_what_they_like() {
        let for_tests = package("drivers/netback", "kernel/emul", Some("dev"), None);
        assert!(violations(&for_tests, Path::new("/w")).unwrap().is_empty());
    }

    #[test]
    fn a_new_folder_needs_a_layer() {
        assert!(
            violations(
                &package("misc/thing", "kernel/hal", None, None),
                Path::new("/w")
            )
            .is_err()
        );
        assert_eq!(layer("network/x"), None);
    }
}
