#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod domains;
mod rows;
mod tree;
mod usage;

use std::path::Path;

use anyhow::{Context, Result, bail};
use morgana_xenstore_peers::{Daemon, Packages, Program};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [daemon, command @ ..] = &arguments[..] else {
        bail!("perf-xenstore c|ocaml|PROGRAM COMMAND")
    };
    let packages = Packages::from_environment()?;
    let foreign = || {
        let unset = || format!("{} names no folder", Packages::VARIABLE);
        packages.as_ref().with_context(unset)
    };
    let program = match *daemon {
        "c" => Program::C(foreign()?),
        "ocaml" => Program::Ocaml(foreign()?),
        path => Program::Ours(Path::new(path)),
    };
    let daemon = Daemon::start(program)?;
    match *command {
        ["rows", clients, turns] => rows::run(&daemon, clients.parse()?, turns.parse()?),
        ["domains", clients, sequences] => {
            domains::run(&daemon, clients.parse()?, sequences.parse()?)
        }
        ["tree", folders, nodes] => {
            let successor = program.successor();
            tree::run(&daemon, folders.parse()?, nodes.parse()?, successor)
        }
        _ => bail!(
            "perf-xenstore … rows CLIENTS TURNS | domains CLIENTS SEQUENCES | tree FOLDERS NODES"
        ),
    }
}
