//! What `cargo metadata` says about the checkout: its folders, and the packages that are apps.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cli::PortPair;
use crate::process;

/// The checkout.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// The packages with a `[package.metadata.morgana]`, by name.
    pub(crate) apps: Vec<App>,
}

/// A package that becomes an image.
#[derive(Clone, Debug)]
pub(crate) struct App {
    /// The package's name, which the image and the domain have too.
    pub(crate) name: String,
    /// What its domain needs.
    pub(crate) domain: Domain,
    /// What it is for.
    pub(crate) purpose: Purpose,
}

/// What an app is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An app of the project.
    App,
    /// A guest of the tests.
    Test,
}

/// The table `[package.metadata.morgana]`; each key may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Domain {
    /// The domain's memory, in MiB.
    pub(crate) memory: u32,
    /// Its processors.
    pub(crate) vcpus: u32,
    /// Whether it has a network interface.
    pub(crate) vif: bool,
    /// Whether it serves devices of other domains.
    pub(crate) driver_domain: bool,
    /// Its disks, as xl's `disk` has them ("vdev=xvda,format=raw,access=rw,target=/some/file").
    pub(crate) disks: Vec<String>,
    /// Its command line.
    pub(crate) extra: String,
    /// The ports of 127.0.0.1 that lead to it when it is run and nothing else is said ("5353:53/udp").
    pub(crate) forwards: Vec<PortPair>,
    /// Marks a package that needs nothing else said.
    pub(crate) xen: bool,
}

impl Default for Domain {
    fn default() -> Domain {
        Domain {
            memory: 16,
            vcpus: 1,
            vif: false,
            driver_domain: false,
            disks: Vec::new(),
            extra: String::new(),
            forwards: Vec::new(),
            xen: true,
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    metadata: Option<Tables>,
}

#[derive(Deserialize)]
struct Tables {
    morgana: Option<serde_json::Value>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Workspace> {
        let text =
            process::stdout(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
        Workspace::parse(&text)
    }

    fn parse(text: &str) -> Result<Workspace> {
        let metadata: Metadata =
            serde_json::from_str(text).context("cargo metadata says what is not understood")?;
        let mut apps = Vec::new();
        for package in metadata.packages {
            let Some(table) = package.metadata.and_then(|tables| tables.morgana) else {
                continue;
            };
            let name = package.name;
            let domain = Domain::deserialize(table).with_context(|| {
                format!("[package.metadata.morgana] of {name} is not understood")
            })?;
            if domain.extra.contains(['"', '\n', '\\']) {
                bail!(
                    "[package.metadata.morgana] of {name}: extra must have no quote, backslash or newline in it"
                );
            }
            if domain
                .disks
                .iter()
                .any(|disk| disk.contains(['\'', '\n', '\\']))
            {
                bail!(
                    "[package.metadata.morgana] of {name}: disks must have no quote, backslash or newline in them"
                );
            }
            if !domain.vif && !domain.forwards.is_empty() {
                bail!(
                    "[package.metadata.morgana] of {name}: there is no network interface that forwards could lead to"
                );
            }
            let below = package
                .manifest_path
                .strip_prefix(&metadata.workspace_root)
                .unwrap_or(&package.manifest_path);
            let purpose = if below.starts_with("tests") {
                Purpose::Test
            } else {
                Purpose::App
            };
            apps.push(App {
                name,
                domain,
                purpose,
            });
        }
        apps.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Workspace {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            apps,
        })
    }

    /// The app of this name.
    pub(crate) fn app(&self, name: &str) -> Result<&App> {
        let known = || {
            self.apps
                .iter()
                .map(|app| app.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        self.apps
            .iter()
            .find(|app| app.name == name)
            .with_context(|| format!("no app is called {name} (there are: {})", known()))
    }

    /// Where the images go.
    pub(crate) fn images(&self) -> PathBuf {
        self.target.join("images")
    }

    /// Where cargo builds the program with a foreign provider, or with none: it has a workspace of its own, and each of these builds can go on beside
    /// the others.
    pub(crate) fn machines(&self, provider: &str) -> PathBuf {
        self.target.join("machines").join(provider)
    }

    /// Where the Linux programs go.
    pub(crate) fn programs(&self) -> PathBuf {
        self.target.join("linux")
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Set by `cargo run` for us, and not for a build of other packages.
    command
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_PKG_NAME");
    command
}

#[cfg(test)]
mod tests {
    use super::{Purpose, Workspace};

    fn metadata(table: &str) -> String {
        format!(
            r#"{{"workspace_root":"/w","target_directory":"/w/target","packages":[
                {{"name":"web","manifest_path":"/w/apps/web/Cargo.toml","metadata":{{"morgana":{table}}}}},
                {{"name":"probe","manifest_path":"/w/tests/guests/probe/Cargo.toml","metadata":{{"morgana":{{}}}}}},
                {{"name":"other","manifest_path":"/w/net/other/Cargo.toml","metadata":null}}]}}"#
        )
    }

    #[test]
    fn finds_the_apps() {
        let workspace = Workspace::parse(&metadata(r#"{"memory":8,"vif":true}"#)).unwrap();
        let [probe, web] = &workspace.apps[..] else {
            panic!("two apps")
        };
        assert_eq!(
            (web.domain.memory, web.domain.vif, web.purpose),
            (8, true, Purpose::App)
        );
        assert_eq!(
            (probe.domain.memory, probe.domain.vif, probe.purpose),
            (16, false, Purpose::Test)
        );
        assert!(workspace.app("other").is_err());
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(Workspace::parse(&metadata(r#"{"memroy":8}"#)).is_err());
        assert!(Workspace::parse(&metadata(r#"{"extra":"a\"b"}"#)).is_err());
        assert!(Workspace::parse(&metadata(r#"{"vif":true,"forwards":["53:0"]}"#)).is_err());
        assert!(Workspace::parse(&metadata(r#"{"forwards":["5353:53/udp"]}"#)).is_err());
    }
}
