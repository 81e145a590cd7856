//! moto, a server that speaks EC2's protocol and makes machines up, from PyPI; it runs on Debian's Python, whatever the host has.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cache::{Cache, key};
use crate::hold;
use crate::process;
use crate::progress::Step;
use crate::testbed::apt::Apt;

/// moto and all that it needs for EC2, in these versions.
const REQUIREMENTS: &str = include_str!("moto.txt");

/// A server that runs; it ends with this.
#[derive(Debug)]
pub(crate) struct Moto {
    child: Child,
    /// Where it listens: a URL.
    pub(crate) endpoint: String,
}

impl Moto {
    /// Fetches it, if it is not in the cache, and starts it at a port of 127.0.0.1 that is free. It has no state that would outlive it.
    pub(crate) fn start() -> Result<Moto> {
        let mut command = obtain()?;
        command
            // All that it prints is to be read at once.
            .env("PYTHONUNBUFFERED", "1")
            // It takes any image and any kind if nothing is said.
            .env("MOTO_ENABLE_AMI_VALIDATION", "true")
            .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "true")
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]);
        let mut command = hold::held(&command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot start moto")?;
        let said = child.stderr.take().context("moto has no standard error")?;
        let mut lines = BufReader::new(said).lines();
        let mut all = String::new();
        let endpoint = loop {
            let Some(line) = lines.next() else {
                let _ = child.kill();
                let _ = child.wait();
                bail!("moto has not begun to listen:\n{all}");
            };
            let line = line.context("cannot read what moto says")?;
            if let Some((_, endpoint)) = line.split_once("Running on ") {
                break endpoint.trim().to_owned();
            }
            all.push_str(&line);
            all.push('\n');
        };
        // It goes on to write a line for each request, and would wait if nobody read them.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Moto { child, endpoint })
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of Debian's Python in which moto is, with what its environment must say.
fn obtain() -> Result<Command> {
    const WHAT: &str = "moto from PyPI";
    let cache = Cache::open()?;
    let python = python(&cache)?;
    let name = key(&[
        REQUIREMENTS.as_bytes(),
        python.as_os_str().as_encoded_bytes(),
        include_bytes!("moto.rs"),
    ]);
    let modules = cache.entry(&format!("moto/{name}"), |stage| {
        let _step = Step::spinner(&format!("fetching {WHAT}"));
        let requirements = stage.join("requirements.txt");
        std::fs::write(&requirements, REQUIREMENTS).context("cannot write what is wanted")?;
        let mut pip = with_modules(&python, None)?;
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--root-user-action=ignore"])
            .args(["--only-binary", ":all:", "--target"])
            .arg(stage)
            .arg("-r")
            .arg(&requirements);
        process::quietly(&mut pip)
    })?;
    with_modules(&python, Some(&modules))
}

/// A folder with Python and its installer from Debian, and with all that they need but the C library: the host's is used, and its loader.
fn python(cache: &Cache) -> Result<PathBuf> {
    const WHAT: &str = "Python from Debian";
    let closure = Apt::new(cache)?.closure(&["python3-pip"], &[], WHAT)?;
    cache.entry(&format!("python/{}", closure.key()), |stage| {
        closure.unpack(stage, WHAT, |package| {
            !["libc6", "libc-bin", "libgcc-s1"].contains(&package.name())
        })
    })
}

/// Python, which finds its own modules in its folder, and more of them in another one. Nothing of the host's Python is looked at.
fn with_modules(python: &Path, more: Option<&Path>) -> Result<Command> {
    let usr = python.join("usr");
    let libraries = [
        python.join("lib/x86_64-linux-gnu"),
        usr.join("lib/x86_64-linux-gnu"),
    ];
    let libraries =
        std::env::join_paths(libraries).context("the cache's path has a colon in it")?;
    let debian = usr.join("lib/python3/dist-packages");
    let modules = std::env::join_paths(more.into_iter().chain([debian.as_path()]))
        .context("the cache's path has a colon in it")?;
    let mut command = Command::new(usr.join("bin/python3.11"));
    command
        .env("LD_LIBRARY_PATH", libraries)
        .env("PYTHONHOME", usr)
        .env("PYTHONPATH", modules)
        .env("PYTHONNOUSERSITE", "1");
    Ok(command)
}
