//! A large tree: the memory that it takes, and how long a walk through it is.

use std::time::Instant;

use anyhow::{Result, ensure};
use morgana_xenstore_peers::Daemon;
use morgana_xenstore_wire::{Request, parse_names};

use crate::client::Client;
use crate::usage::{cpu, memory};

/// Prints the bytes of memory for the tree, then the seconds and the daemon's seconds of CPU time of a walk: all lists of children, and all values.
pub(crate) fn run(daemon: &Daemon, folders: usize, nodes: usize) -> Result<()> {
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
    Ok(())
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
