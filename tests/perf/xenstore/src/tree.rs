//! A large tree: the memory that it takes, and how long a walk through it is.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use morgana_xenstore_peers::Daemon;
use morgana_xenstore_wire::{Request, parse_names};

use crate::client::Client;
use crate::usage::{cpu, memory};

/// Prints the bytes of memory for the tree, then the seconds and the daemon's seconds of CPU time of a walk: all lists of children, and all values;
/// and, if there is a successor for that, the seconds that a live update to it takes, from the last word to the reply.
pub(crate) fn run(
    daemon: &Daemon,
    folders: usize,
    nodes: usize,
    successor: Option<PathBuf>,
) -> Result<()> {
    let mut client = Client::new(daemon)?;
    let before = memory(daemon)?;
    for folder in 0..folders {
        for node in 0..nodes {
            let path = format!("/tree/{folder}/{node}");
            let value = b"a value of some length";
            client.must(Request::Write { path: &path, value })?;
        }
    }
    println!("memory {:e}", memory(daemon)? - before);
    let (spent, began) = (cpu(daemon)?, Instant::now());
    let seen = walk(&mut client, "/tree")?;
    ensure!(seen == 1 + folders * (1 + nodes), "{seen} nodes were seen");
    println!("walk {:e}", began.elapsed().as_secs_f64());
    println!("walk-cpu {:e}", cpu(daemon)? - spent);
    if let Some(successor) = successor {
        println!("update {:e}", update(&mut client, &successor)?);
        ensure!(walk(&mut client, "/tree")? == seen, "nodes are lost");
    }
    Ok(())
}

/// The steps of `xenstore-control live-update`. The seconds of the last, whose reply comes from the new program.
fn update(client: &mut Client, successor: &Path) -> Result<f64> {
    let program = format!("live-update\0-f\0{}\0", successor.display());
    let payload = program.as_bytes();
    client.must(Request::Control { payload })?;
    let began = Instant::now();
    let payload = b"live-update\0-s\0-t\x0060\0-F\0";
    loop {
        let said = client.must(Request::Control { payload })?;
        match said.as_slice() {
            b"OK\0" => return Ok(began.elapsed().as_secs_f64()),
            b"BUSY\0" => {}
            said => bail!("no live update: {}", String::from_utf8_lossy(said)),
        }
    }
}

/// How many nodes there are at and below the path.
fn walk(client: &mut Client, path: &str) -> Result<usize> {
    client.must(Request::Read { path })?;
    let names = client.must(Request::Directory { path })?;
    let mut seen = 1;
    for name in parse_names(&names)? {
        seen += walk(client, &format!("{path}/{name}"))?;
    }
    Ok(seen)
}
