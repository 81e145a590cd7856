//! `cargo xtask build`: apps become images.

mod config;
mod image;
mod strip;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::cli::{Build, Target};
use crate::workspace::{App, Purpose, Workspace, cargo};

pub(crate) use config::{Changes, config};
pub(crate) use image::{Image, XEN_OPTIONS, rust_src, template};

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
    match arguments.target {
        Target::Xen => {
            for image in Image::build(&workspace, &apps)? {
                println!("{}", image.summary()?);
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

/// Builds an app for Linux; returns the program.
pub(crate) fn for_linux(workspace: &Workspace, app: &App) -> Result<PathBuf> {
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .args(["build", "--release", "-p", &app.name]);
    image::executable(&mut command, &app.name)
}
