//! The command line.
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use crate::machines::Foreign;
use crate::testbed::{Forward, Protocol};

/// Builds, runs, tests and measures Morgana.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Task,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Build apps: for Xen, an image and the configuration that xl takes
    Build(Build),
    /// Build an app and run it
    Run(Run),
    /// Run the tests; the last line is `N passed, N failed`
    Test(Test),
    /// Measure ours and a peer in turn; one JSON object a line
    Bench(Bench),
    /// Check formatting, lints, layers, unsafe code, links and licences
    Check,
    /// Make the API documentation of the portable crates: a folder, and an archive for a disk
    Doc,
    /// Show the size of each image, and the largest crates in it
    Size(Size),
    /// Write functions and lines beside the addresses of a guest's backtrace
    Symbolize(Symbolize),
    /// Run a command in the dom0 of a fresh testbed: Xen and a Linux dom0 under QEMU
    Dom0(Dom0),
}

/// The arguments of `build`.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The apps to build; all, if none is named
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<String>,
    /// What to build for
    #[arg(long, value_enum, default_value_t = Target::Xen)]
    pub(crate) target: Target,
    /// Pack images for Xen by gzip, too, and have the configurations name the packed ones
    #[arg(long)]
    pub(crate) compress: bool,
}

/// What an app is built for, and runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// A PV guest of Xen
    Xen,
    /// A Linux process
    Linux,
}

/// Where an app runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// Here.
    Here(Target),
    /// With a provider, at a place that its program understands.
    Elsewhere(Foreign, String),
}

impl FromStr for On {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<On, &'static str> {
        match text.split_once(':') {
            None if text == "xen" => Ok(On::Here(Target::Xen)),
            None if text == "linux" => Ok(On::Here(Target::Linux)),
            Some(("libvirt", _)) => Ok(On::Elsewhere(Foreign::Libvirt, text.to_owned())),
            Some(("ec2", _)) => Ok(On::Elsewhere(Foreign::Ec2, text.to_owned())),
            _ => Err("xen, linux, libvirt:URI and ec2:REGION[@ENDPOINT] are places"),
        }
    }
}

/// The arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The app; or `site`: the website with https, and the name server for its name; or `autoscale`: a service that makes machines as its load rises (words are arguments of the
    /// load generator, in place of a load that rises tenfold and falls)
    #[arg(value_name = "APP")]
    pub(crate) app: String,
    /// The name of the site; morgana.test, if none is given
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<String>,
    /// Where it runs: `xen` is Xen under QEMU, `linux` a process on the emulation, `libvirt:URI` a host of libvirt whose
    /// hypervisor is Xen, `ec2:REGION[@ENDPOINT]` EC2, where an image of its own runs, with the app's name and command line
    #[arg(long, value_name = "WHERE", default_value = "xen")]
    pub(crate) on: On,
    /// For EC2: the AMI
    #[arg(long, value_name = "ID")]
    pub(crate) image: Option<String>,
    /// Lead a port of the host's 127.0.0.1 to a port of the app, of TCP or, with /udp, of UDP; if none is given, those that the app names, or
    /// 8080:80 (a port that is in use is replaced then)
    #[arg(long, value_name = "HOST:GUEST[/udp]")]
    pub(crate) forward: Vec<PortPair>,
    /// Give it a file as a disk, or a folder, which is packed as a tar archive; NAME is xvda, xvdb and so on if it is not said
    #[arg(long, value_name = "FILE[:NAME]")]
    pub(crate) disk: Vec<DiskChoice>,
    /// Record what passes over its network interface, for Wireshark
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,
    /// More words on its command line
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) words: Vec<String>,
}

/// A file or folder that is to be a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiskChoice {
    /// The file or folder.
    pub(crate) path: PathBuf,
    /// What the guest calls it.
    pub(crate) name: Option<String>,
}

impl FromStr for DiskChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<DiskChoice, String> {
        // A colon may stand in a file's name, too.
        let named = text.rsplit_once(':').filter(|(_, name)| {
            name.strip_prefix("xvd")
                .is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_lowercase())
        });
        let (path, name) = match named {
            Some((path, name)) => (path, Some(name.to_owned())),
            None => (text, None),
        };
        if path.is_empty() {
            return Err("a file or folder is wanted".to_owned());
        }
        let path = path.into();
        Ok(DiskChoice { path, name })
    }
}

/// A port of the host and a port of the guest.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(crate) struct PortPair {
    /// What is forwarded.
    pub(crate) protocol: Protocol,
    /// On the host's 127.0.0.1.
    pub(crate) host: u16,
    /// At the guest.
    pub(crate) guest: u16,
}

impl FromStr for PortPair {
    type Err = String;

    fn from_str(text: &str) -> Result<PortPair, String> {
        let port = |text: &str| match text.parse() {
            Ok(0) | Err(_) => Err(format!("{text} is no port")),
            Ok(port) => Ok(port),
        };
        let (ports, protocol) = Protocol::split(text)?;
        let (host, guest) = ports
            .split_once(':')
            .ok_or("two ports with a colon between them are wanted")?;
        Ok(PortPair {
            protocol,
            host: port(host)?,
            guest: port(guest)?,
        })
    }
}

impl TryFrom<String> for PortPair {
    type Error = String;

    fn try_from(text: String) -> Result<PortPair, String> {
        text.parse()
            .map_err(|error| format!("forward {text}: {error}"))
    }
}

impl fmt::Display for PortPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PortPair {
            protocol,
            host,
            guest,
        } = self;
        write!(f, "{host}:{guest}/{protocol}")
    }
}

/// The arguments of `test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// `check`, `unit`, `browser`, `loom`, `miri`, `xen`, or one test on Xen as `xen/NAME`; all of these, if none is named. `libvirt` and `ec2` run only
    /// if they are named
    #[arg(value_name = "SUITE")]
    pub(crate) suites: Vec<String>,
}

/// The arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// `boot`, `ring`, `net`, `block`, `xenstore`, `console`, `vchan`, `http`, `dns`, `queue`, `spawn`, `autoscale` or `chaos`; all, if none is named
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Write the figures to this file as well
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// In place of what `spawn` measures: so many web domains at once
    #[arg(long, value_name = "DOMAINS", value_parser = clap::value_parser!(u8).range(1..=200))]
    pub(crate) crowd: Option<u8>,
    /// In place of what `spawn` measures: a domain made and ended so many times
    #[arg(long, value_name = "TIMES")]
    pub(crate) cycles: Option<u32>,
}

/// The arguments of `size`.
#[derive(Debug, Args)]
pub(crate) struct Size {
    /// The apps whose images are built and measured; all, if none is named
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<String>,
}

/// The arguments of `symbolize`.
#[derive(Debug, Args)]
pub(crate) struct Symbolize {
    /// The app, or a symbol file
    #[arg(value_name = "APP|SYMFILE")]
    pub(crate) app: String,
    /// The backtrace; standard input, if none is named
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// The arguments of `dom0`.
#[derive(Debug, Args)]
pub(crate) struct Dom0 {
    /// Copy a file of the host into dom0 before the command
    #[arg(long, value_name = "HOST:DOM0", value_parser = pair)]
    pub(crate) put: Vec<(String, String)>,
    /// Copy a file of dom0 to the host after the command, whatever its status
    #[arg(long, value_name = "DOM0:HOST", value_parser = pair)]
    pub(crate) get: Vec<(String, String)>,
    /// Lead a port of the host's 127.0.0.1 to an address in the testbed's network (dom0 is 10.0.2.15)
    #[arg(long, value_name = "HOSTPORT:IP:PORT[/udp]")]
    pub(crate) forward: Vec<Forward>,
    /// Add a Debian package and all that it depends on
    #[arg(long, value_name = "PACKAGE", value_parser = package)]
    pub(crate) deb: Vec<String>,
    /// Which daemon serves xenstore
    #[arg(long, value_enum, default_value_t = XenstoredChoice::C)]
    pub(crate) xenstored: XenstoredChoice,
    /// Which daemon serves the guests' consoles
    #[arg(long, value_enum, default_value_t = XenconsoledChoice::C)]
    pub(crate) xenconsoled: XenconsoledChoice,
    /// End the command, and the testbed with it, after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) timeout: u64,
    /// A shell line; several words are joined with spaces
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// The daemons that can serve xenstore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum XenstoredChoice {
    /// Xen's, in C
    C,
    /// Xen's, in OCaml
    Ocaml,
    /// Ours, as a daemon in dom0
    Ours,
    /// Ours, as a stub-domain
    Stubdom,
}

/// The daemons that can serve consoles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum XenconsoledChoice {
    /// Xen's, in C
    C,
    /// Ours, as a daemon in dom0
    Ours,
    /// Ours, as a stub-domain
    Stubdom,
}

/// Two paths with a colon between them.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            Ok((from.to_owned(), to.to_owned()))
        }
        _ => Err("two paths with a colon between them are wanted".to_owned()),
    }
}

/// A package's name (Debian Policy, 5.6.1), so that nothing else gets on apt's command line.
fn package(text: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    if text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(known)
    {
        Ok(text.to_owned())
    } else {
        Err("not the name of a Debian package".to_owned())
    }
}

/// Makes clap's error one clear line.
pub(crate) fn complaint(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"));
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .collect();
    format!("{} (try --help)", lines.join(" "))
}
