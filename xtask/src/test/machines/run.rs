//! `cargo xtask run APP --on WHERE`, as a user has it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::hold;
use crate::test::Tally;

const APP: &str = "hello";
/// Of moto's own images.
const IMAGE: &str = "ami-12c6146b";

/// A place where the app runs, and orders that fail.
#[derive(Debug)]
pub(super) struct Place {
    /// What follows `run hello`.
    there: Vec<String>,
    failures: Vec<Failing>,
}

/// An order that fails.
#[derive(Debug)]
struct Failing {
    name: &'static str,
    words: Vec<String>,
    /// Whether the environment has credentials for EC2.
    credentials: Credentials,
    status: i32,
    /// Of the last line: what to do about it.
    says: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credentials {
    Any,
    None,
}

fn failing(name: &'static str, words: &[&str], status: i32, says: &'static str) -> Failing {
    Failing {
        name,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        credentials: Credentials::Any,
        status,
        says,
    }
}

impl Place {
    /// The host that libvirt makes up.
    pub(super) fn libvirt() -> Place {
        let there = ["--on", "libvirt:test:///default"];
        let to_none = ["--on", "libvirt:xen+tcp://127.0.0.1:1/system"];
        let other = ["--on", "libvirt:qemu:///system"];
        let with_image = [&there[..], &["--image", IMAGE]].concat();
        Place {
            there: there.map(str::to_owned).to_vec(),
            failures: vec![
                failing(
                    "no-daemon",
                    &to_none,
                    1,
                    "is libvirt's daemon running there",
                ),
                failing(
                    "other-driver",
                    &other,
                    2,
                    "a URI of a host with Xen: libvirt:xen:///system",
                ),
                failing("image", &with_image, 1, "--image is for EC2"),
            ],
        }
    }

    /// A region at this endpoint.
    pub(super) fn ec2(endpoint: &str) -> Place {
        let region = format!("ec2:us-east-1@{endpoint}");
        let there = ["--on", &region, "--image", IMAGE];
        let unknown = ["--on", &region, "--image", "ami-0123456789abcdef0"];
        let to_none = ["--on", "ec2:us-east-1@http://127.0.0.1:1", "--image", IMAGE];
        let in_capitals = ["--on", "ec2:EU", "--image", IMAGE];
        Place {
            there: there.map(str::to_owned).to_vec(),
            failures: vec![
                failing(
                    "no-server",
                    &to_none,
                    1,
                    "is the network up, and the endpoint right?",
                ),
                failing(
                    "no-image",
                    &there[..2],
                    1,
                    "EC2 wants the AMI that is to run: --image ID",
                ),
                failing(
                    "unknown-image",
                    &unknown,
                    1,
                    "the id of an AMI of the same region",
                ),
                failing(
                    "region",
                    &in_capitals,
                    2,
                    "EC2 wants a region: ec2:eu-west-1",
                ),
                Failing {
                    credentials: Credentials::None,
                    ..failing(
                        "no-credentials",
                        &there,
                        2,
                        "EC2 wants AWS_ACCESS_KEY_ID and",
                    )
                },
            ],
        }
    }
}

pub(super) fn suite(place: &Place, tally: &mut Tally) {
    tally.test("run/ctrl-c", || ctrl_c(place));
    for failing in &place.failures {
        tally.test(&format!("run/{}", failing.name), || fails(failing));
    }
}

/// The machine is made, lives until Ctrl-C, and that it is ended is told.
fn ctrl_c(place: &Place) -> Result<()> {
    let (mut child, mut said) = start(&place.there, Credentials::Any)?;
    let mut all = String::new();
    // The machine is never over by itself: what follows the line is the end after the signal.
    let begun = read_until(&mut said, &mut all, "Ctrl-C ends it");
    if begun.is_err() {
        let _ = child.wait();
    }
    begun?;
    let id = i32::try_from(child.id()).context("no process id")?;
    let process = Pid::from_raw(id).context("no process id")?;
    kill_process(process, Signal::INT).context("it cannot be interrupted")?;
    let ended = read_until(&mut said, &mut all, &format!("{APP} is ended"));
    let status = child.wait().context("lost it")?;
    ended?;
    ensure!(status.success(), "{status}: it said:\n{all}");
    Ok(())
}

fn fails(failing: &Failing) -> Result<()> {
    let (mut child, mut said) = start(&failing.words, failing.credentials)?;
    let mut all = String::new();
    let found = read_until(&mut said, &mut all, failing.says);
    let status = child.wait().context("lost it")?;
    found?;
    ensure!(
        status.code() == Some(failing.status),
        "{status}: it said:\n{all}"
    );
    Ok(())
}

/// Starts it; returns it and what it says of itself.
fn start(words: &[String], credentials: Credentials) -> Result<(Child, BufReader<ChildStderr>)> {
    // This program, even if it has been built anew meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.args(["run", APP]).args(words);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        match credentials {
            Credentials::Any => command.env(name, "any"),
            Credentials::None => command.env_remove(name),
        };
    }
    let mut command = hold::held(&command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("it cannot be started")?;
    let said = child.stderr.take().context("it has no standard error")?;
    Ok((child, BufReader::new(said)))
}

/// Reads until a line has this text, which the program ends without if it does not come.
fn read_until(said: &mut impl BufRead, all: &mut String, text: &str) -> Result<()> {
    loop {
        let mut line = Vec::new();
        let bytes = said
            .read_until(b'\n', &mut line)
            .context("it cannot be read")?;
        let line = String::from_utf8_lossy(&line);
        all.push_str(&line);
        if line.contains(text) {
            return Ok(());
        }
        if bytes == 0 {
            bail!("it never said {text:?}, but:\n{all}");
        }
    }
}
