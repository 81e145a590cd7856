//! Debian's Chromium, from the cache.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, process};

use anyhow::{Context, Result};

use super::devtools::Browser;
use crate::cache::{Cache, key};
use crate::hold::{self, End};
use crate::interrupt;
use crate::testbed::apt::{Apt, Assumed};

/// The browser, something to print with, and a judge of XML.
const PACKAGES: [&str; 4] = [
    "chromium-headless-shell",
    "fonts-dejavu-core",
    "fonts-liberation",
    "libxml2-utils",
];

/// Tools for windows, of which there are none: a third of the download would be for them, drivers of graphics cards among it.
const ABSENT: [Assumed; 4] = [
    "Package: x11-utils\nStatus: install ok installed\nVersion: 999\nMulti-Arch: foreign\nArchitecture: amd64",
    "Package: xdg-utils\nStatus: install ok installed\nVersion: 999\nMulti-Arch: foreign\nArchitecture: all",
    "Package: xkb-data\nStatus: install ok installed\nVersion: 999\nMulti-Arch: foreign\nArchitecture: all",
    "Package: debconf\nStatus: install ok installed\nVersion: 999\nMulti-Arch: foreign\nArchitecture: all",
];

/// What makes it quiet: it asks nobody on the network for anything of its own. `--no-sandbox` lets it run as root, on pages of our own only.
const FLAGS: [&str; 12] = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--lang=en",
    "--remote-debugging-pipe",
];

/// The unpacked packages.
#[derive(Clone, Debug)]
pub(super) struct Chromium {
    root: PathBuf,
}

impl Chromium {
    /// Fetches it, if it is not in the cache.
    pub(super) fn obtain(cache: &Cache) -> Result<Chromium> {
        let closure = Apt::new(cache)?.closure(&PACKAGES, &ABSENT, "Chromium from Debian")?;
        let folder = key(&[closure.key().as_bytes(), include_bytes!("chromium.rs")]);
        let root = cache.entry(&format!("chromium/{folder}"), |stage| {
            // The host's C library and loader are used: a browser starts itself again, and could not do so by another loader.
            closure.unpack(stage, "Chromium", |package| {
                !["libc6", "libc-bin"].contains(&package.name())
            })
        })?;
        Ok(Chromium { root })
    }

    /// A program of the packages, with the packages' libraries and fonts.
    fn program(&self, path: &str) -> (PathBuf, [(&'static str, OsString); 1]) {
        let library = self.root.join("usr/lib/x86_64-linux-gnu");
        let libraries = [
            self.root.join("lib/x86_64-linux-gnu"),
            library.join("pulseaudio"),
            library,
        ];
        let joined = env::join_paths(libraries).unwrap_or_default();
        (self.root.join(path), [("LD_LIBRARY_PATH", joined)])
    }

    /// A command that judges XML.
    pub(super) fn xmllint(&self) -> Command {
        let (program, environment) = self.program("usr/bin/xmllint");
        let mut command = Command::new(program);
        command.envs(environment);
        command
    }

    /// Starts it, with a profile of its own that goes with it.
    pub(super) fn start(&self) -> Result<Browser> {
        let profile = env::temp_dir().join(format!("morgana-browser-{}", process::id()));
        fs::create_dir_all(&profile)
            .with_context(|| format!("cannot make {}", profile.display()))?;
        let doomed = profile.clone();
        let removal = interrupt::on_exit(move || {
            let _ = fs::remove_dir_all(&doomed);
        });
        let fonts = self.fonts(&profile)?;
        let (program, environment) = self.program("usr/lib/chromium/chromium-headless-shell");
        // It reads commands at descriptor 3 and answers at 4.
        let mut command = hold::command(Path::new("/bin/sh"), End::Kill);
        command
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null 1>&2"])
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .envs(environment)
            .env("FONTCONFIG_FILE", fonts)
            .env("HOME", &profile)
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let child = command.spawn().context("cannot start Chromium")?;
        Browser::new(child, removal)
    }

    /// A configuration that names the packages' fonts only, so that pages look the same everywhere.
    fn fonts(&self, profile: &Path) -> Result<PathBuf> {
        let path = profile.join("fonts.conf");
        let text = format!(
            "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig><dir>{}</dir><cachedir>{}</cachedir></fontconfig>",
            self.root.join("usr/share/fonts").display(),
            profile.join("fonts").display(),
        );
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}
