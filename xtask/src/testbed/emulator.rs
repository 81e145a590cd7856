//! Which QEMU: the host's, or Debian's from the cache.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::Apt;
use crate::cache::Cache;
use crate::process;

const NAME: &str = "qemu-system-x86_64";

/// A QEMU that can be started.
#[derive(Clone, Debug)]
pub(crate) struct Emulator {
    /// What to start.
    pub(crate) program: PathBuf,
    /// The arguments that come first.
    pub(crate) arguments: Vec<OsString>,
    /// Additional environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// What tells it from another one: a snapshot is only for the QEMU that took it.
    pub(crate) version: String,
}

impl Emulator {
    /// The QEMU on the PATH, or one fetched from Debian.
    pub(crate) fn find(cache: &Cache) -> Result<Emulator> {
        if let Some(program) = process::on_path(NAME) {
            let version = process::stdout(Command::new(&program).arg("--version"))?;
            return Ok(Emulator {
                program,
                arguments: Vec::new(),
                environment: Vec::new(),
                version,
            });
        }
        let closure = Apt::new(cache)?.closure(&["qemu-system-x86"], &[], "QEMU from Debian")?;
        let folder = cache.entry(&format!("qemu/{}", closure.key()), |stage| {
            // The links of the merged /usr, which the packages expect and do not bring.
            for name in ["bin", "lib", "lib64", "sbin"] {
                fs::create_dir_all(stage.join("usr").join(name))?;
            }
            closure.unpack(stage, "QEMU", |package| package.name() != "base-files")
        })?;
        // Debian's loader and libraries: the host may have another C library, or none.
        let libraries =
            ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"].map(|path| folder.join(path));
        let mut arguments: Vec<OsString> = vec!["--library-path".into()];
        arguments.push(
            std::env::join_paths(&libraries)
                .context("the path of the cache folder has a colon in it")?,
        );
        arguments.push(folder.join("usr/bin").join(NAME).into());
        for path in ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"] {
            arguments.push("-L".into());
            arguments.push(folder.join(path).into());
        }
        let modules = folder.join("usr/lib/x86_64-linux-gnu/qemu");
        let environment = vec![("QEMU_MODULE_DIR".into(), modules.into())];
        let program = folder.join("lib64/ld-linux-x86-64.so.2");
        // A link to /lib/x86_64-linux-gnu/..., which may lead out of our folder.
        let loader = folder.join("lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
        let program = if loader.is_file() { loader } else { program };
        Ok(Emulator {
            program,
            arguments,
            environment,
            version: closure.key().to_owned(),
        })
    }
}
