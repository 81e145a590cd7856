//! `cargo xtask build`: apps become images.

mod config;
mod image;
mod peer;
mod strip;
mod workshop;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::cli::{Build, Target};
use crate::workspace::{App, Purpose, Workspace, cargo};

pub(crate) use config::{Changes, config};
pub(crate) use image::{Image, XEN_OPTIONS, executable, rust_src, template};
pub(crate) use peer::vchan_peer;
pub(crate) use workshop::Workshop;

/// Builds what is asked for.
pub(crate) fn run(arguments: &Build) -> Result<i32> {
    let workspace = Workspace::load()?;
    let apps: Vec<&App> = if arguments.apps.is_empty() {
        workspace
            .apps
            .iter()
            .filter(|app| app.purpose == Purpose::App)
            .collect()
    } else {
        arguments
            .apps
            .iter()
            .map(|name| workspace.app(name))
            .collect::<Result<_>>()?
    };
    if apps.is_empty() {
        bail!("there is no app: no package under apps/ has [package.metadata.morgana]");
    }
    if arguments.compress && arguments.target != Target::Xen {
        bail!("only images for Xen are packed");
    }
    match arguments.target {
        Target::Xen => {
            for image in Image::build(&workspace, &apps)? {
                println!("{}", image.summary()?);
                if arguments.compress {
                    println!("{}", image::size_of(&image.pack(&workspace)?)?);
                }
            }
        }
        Target::Linux => {
            for app in &apps {
                let program = for_linux(&workspace, app)?;
                let bytes = program
                    .metadata()
                    .context("cannot read what was built")?
                    .len();
                println!("{}: {bytes} bytes", program.display());
            }
        }
    }
    Ok(0)
}

/// How programs for Linux are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    /// As users get them: compiled for speed, since there a program's size matters little. They are kept as `target/linux/NAME`.
    Shipped,
    /// To be tested: without the optimisation of whole programs, which takes half a minute for each. They stay where cargo puts them.
    Trial,
}

/// What a build for Linux asks of cargo besides the profile: a program that needs no library of the machine that it runs on, so that one file
/// carried into a testbed's dom0, or to another distribution, is all there is to it. A target is named, so that this does not hold for what runs
/// while building.
const LINUX_OPTIONS: [&str; 3] = [
    "--target=x86_64-unknown-linux-gnu",
    "--config",
    "target.x86_64-unknown-linux-gnu.rustflags=['-Ctarget-feature=+crt-static']",
];

/// Builds an app for Linux; returns the program, `target/linux/APP`.
pub(crate) fn for_linux(workspace: &Workspace, app: &App) -> Result<PathBuf> {
    program_for_linux(workspace, &app.name)
}

/// Builds the program of any package for Linux; returns it, `target/linux/NAME`.
pub(crate) fn program_for_linux(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    program_of(workspace, Make::Shipped, name, name)
}

/// Builds an app for this machine as `cargo build` does, which is quick; returns the program.
pub(crate) fn for_debugging(workspace: &Workspace, app: &App) -> Result<PathBuf> {
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .args(["build", "-p", &app.name]);
    image::executable(&mut command, &app.name)
}

/// Builds a package's program for Linux; returns it.
fn program_of(workspace: &Workspace, make: Make, package: &str, name: &str) -> Result<PathBuf> {
    let profile = match make {
        Make::Shipped => "--profile=native",
        Make::Trial => "--profile=trial",
    };
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .args(["build", profile])
        .args(LINUX_OPTIONS)
        .args(["-p", package]);
    let built = image::executable(&mut command, name)?;
    if make == Make::Trial {
        return Ok(built);
    }
    let folder = workspace.programs();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let program = folder.join(name);
    // The old one may be running: it is replaced, not written over.
    let part = folder.join(format!("{name}.part"));
    fs::copy(&built, &part)
        .and_then(|_| fs::rename(&part, &program))
        .with_context(|| format!("cannot write {}", program.display()))?;
    Ok(program)
}
