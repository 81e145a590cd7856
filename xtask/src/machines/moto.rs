//! moto, a server that speaks EC2's protocol and makes machines up, from PyPI.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cache::{Cache, key};
use crate::hold::{self, End};
use crate::process;
use crate::progress::Step;

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
        let program = obtain()?;
        let mut command = hold::command(&program, End::Terminate);
        command
            // All that it prints is to be read at once.
            .env("PYTHONUNBUFFERED", "1")
            // It takes any image and any kind if nothing is said.
            .env("MOTO_ENABLE_AMI_VALIDATION", "true")
            .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "true")
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
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

/// Python, in an environment of its own in which moto is.
fn obtain() -> Result<PathBuf> {
    const WHAT: &str = "moto from PyPI";
    let Some(python) = process::on_path("python3") else {
        bail!("python3 is not on the PATH: {WHAT} is written in Python");
    };
    let cache = Cache::open()?;
    let name = key(&[
        REQUIREMENTS.as_bytes(),
        python.as_os_str().as_encoded_bytes(),
    ]);
    let root = cache.entry(&format!("moto/{name}"), |stage| {
        let _step = Step::spinner(&format!("fetching {WHAT}"));
        process::quietly(
            Command::new(&python)
                .args(["-m", "venv"])
                .arg(stage.join("venv")),
        )
        .context("Debian has this part of Python in the package python3-venv")?;
        let requirements = stage.join("requirements.txt");
        std::fs::write(&requirements, REQUIREMENTS).context("cannot write what is wanted")?;
        process::quietly(
            Command::new(stage.join("venv/bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--no-deps"])
                .args([
                    "--disable-pip-version-check",
                    "--only-binary",
                    ":all:",
                    "-r",
                ])
                .arg(&requirements),
        )
    })?;
    Ok(root.join("venv/bin/python"))
}
