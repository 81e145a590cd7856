//! Building for Xen: the image, its configuration and its symbols.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

use super::config::{Changes, Packing, config};
use super::strip;
use crate::hold;
use crate::process;
use crate::workspace::{App, Workspace, cargo};

/// A built image and what stands beside it.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// The app.
    pub(crate) app: App,
    /// The ELF file that a domain boots, without symbols.
    pub(crate) kernel: PathBuf,
    /// The same with its symbols and lines.
    pub(crate) symbols: PathBuf,
}

impl Image {
    /// Builds the images of `apps` for Xen.
    pub(crate) fn build(workspace: &Workspace, apps: &[&App]) -> Result<Vec<Image>> {
        rust_src()?;
        let folder = workspace.images();
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        apps.iter()
            .map(|app| Image::make(workspace, app, &folder))
            .collect()
    }

    fn make(workspace: &Workspace, app: &App, folder: &Path) -> Result<Image> {
        let mut command = cargo();
        command
            .current_dir(&workspace.root)
            .arg("build")
            .args(XEN_OPTIONS)
            .args(["-p", &app.name]);
        // The stable compiler lets `-Z` pass for those who build an operating system with it, as Linux does.
        command.env("RUSTC_BOOTSTRAP", "1");
        let program = executable(&mut command, &app.name)?;
        let full =
            fs::read(&program).with_context(|| format!("cannot read {}", program.display()))?;
        let stripped =
            strip::strip(&full).with_context(|| format!("{} is no image", program.display()))?;
        let text = config(&template(workspace)?, app, &Changes::default());
        let file = |ending: &str| folder.join(format!("{}.{ending}", app.name));
        write(&file("xen"), &stripped)?;
        write(&file("sym"), &full)?;
        write(&file("cfg"), text.as_bytes())?;
        Ok(Image {
            app: app.clone(),
            kernel: file("xen"),
            symbols: file("sym"),
        })
    }

    /// Packs the image by gzip, and has its configuration name the packed one; returns that.
    pub(crate) fn pack(&self, workspace: &Workspace) -> Result<PathBuf> {
        let plain = fs::read(&self.kernel)
            .with_context(|| format!("cannot read {}", self.kernel.display()))?;
        let changes = Changes {
            packing: Packing::Gzip,
            ..Changes::default()
        };
        let packed = self.kernel.with_extension(changes.packing.ending());
        write(&packed, &gzip(&plain)?)?;
        let text = config(&template(workspace)?, &self.app, &changes);
        write(&self.kernel.with_extension("cfg"), text.as_bytes())?;
        Ok(packed)
    }

    /// One line: the image and its size.
    pub(crate) fn summary(&self) -> Result<String> {
        size_of(&self.kernel)
    }
}

/// One line: a file and its size.
pub(super) fn size_of(file: &Path) -> Result<String> {
    let bytes = file
        .metadata()
        .with_context(|| format!("cannot read {}", file.display()))?
        .len();
    Ok(format!("{}: {bytes} bytes", file.display()))
}

/// Packs as `gzip -9 -n` does: neither a name nor a time is in it, so that the same image is packed the same way.
fn gzip(plain: &[u8]) -> Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer
        .write_all(plain)
        .and_then(|()| packer.finish())
        .context("cannot pack")
}

/// What a build for Xen asks of cargo; targets/README.md explains it.
pub(crate) const XEN_OPTIONS: [&str; 7] = [
    "--release",
    // No path of this machine gets into an image: it is the same wherever it is built, and smaller.
    "-Ztrim-paths",
    "--config=profile.release.trim-paths='all'",
    "-Zjson-target-spec",
    "-Zbuild-std=core,alloc",
    "-Zbuild-std-features=compiler-builtins-mem",
    "--target=targets/x86_64-unknown-xen.json",
];

/// The template of the domains' configurations.
pub(crate) fn template(workspace: &Workspace) -> Result<String> {
    let path = workspace.root.join("targets/xl.cfg.in");
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file that is whole or untouched.
fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    fs::write(&part, content).with_context(|| format!("cannot write {}", part.display()))?;
    fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Adds the source of the standard library where it is missing: core and alloc are built from it.
pub(crate) fn rust_src() -> Result<()> {
    let sysroot = process::stdout(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib/src/rust/library/core")
        .is_dir()
    {
        return Ok(());
    }
    eprintln!("adding the source of Rust's standard library (rustup component add rust-src)");
    process::loudly(Command::new("rustup").args(["component", "add", "rust-src"]))
        .context("rust-src is missing: add it with `rustup component add rust-src`, or from your distribution")
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    target: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// Runs a build whose diagnostics go to the terminal; returns the program called `name`.
pub(crate) fn executable(command: &mut Command, name: &str) -> Result<PathBuf> {
    command.arg("--message-format=json-render-diagnostics");
    let mut command = hold::held(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut found = None;
    for line in BufReader::new(stdout).lines() {
        let line = line.context("cannot read what cargo says")?;
        let Ok(message) = serde_json::from_str::<Message>(&line) else {
            continue;
        };
        if message.reason == "compiler-artifact"
            && message.target.is_some_and(|target| target.name == name)
        {
            found = message.executable.or(found);
        }
    }
    let status = child.wait().context("lost cargo")?;
    if !status.success() {
        bail!("{name} does not build ({status})");
    }
    found.with_context(|| format!("the package {name} has no program called {name}"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::gzip;

    #[test]
    fn packs_the_same_way_each_time() {
        let plain = b"an image, an image, an image".repeat(99);
        let packed = gzip(&plain).unwrap();
        assert_eq!(packed, gzip(&plain).unwrap());
        assert!(packed.len() < plain.len() / 9);
        // RFC 1952, 2.3.1: no flags, no time.
        assert_eq!(packed[3..8], [0; 5]);
        let mut whole = Vec::new();
        GzDecoder::new(&*packed).read_to_end(&mut whole).unwrap();
        assert_eq!(whole, plain);
    }
}
