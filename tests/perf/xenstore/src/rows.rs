//! One program, one request after the other: what the rows of Xen's test-xenstore do.

use std::time::Instant;

use anyhow::{Result, ensure};
use morgana_xenstore_peers::Daemon;
use morgana_xenstore_wire::{Commit, Request};

use crate::client::Client;
use crate::usage::cpu;

/// A row: its name, and a turn of it. The number of the turn is told.
type Row = (&'static str, fn(&mut Client, usize) -> Result<()>);

const FOLDER: &str = "/perf";
const SMALL: &str = "/perf/small";
const LARGE: &str = "/perf/large";
const SCRATCH: &str = "/perf/scratch";

const ROWS: [Row; 9] = [
    ("read-1", |client, _| read(client, SMALL, 1)),
    ("read-2000", |client, _| read(client, LARGE, 2000)),
    ("write-1", |client, _| write(client, SCRATCH, b"1")),
    ("write-2000", |client, _| {
        write(client, SCRATCH, &[b'1'; 2000])
    }),
    ("directory", |client, _| {
        client.must(Request::Directory { path: FOLDER }).map(drop)
    }),
    ("remove", |client, _| {
        write(client, "/perf/gone", b"1")?;
        client.must(Request::Rm { path: "/perf/gone" }).map(drop)
    }),
    ("transaction-empty", |client, _| {
        let id = client.start()?;
        ensure!(client.end(id, Commit::Yes)?, "an empty transaction fails");
        Ok(())
    }),
    ("transaction", transaction),
    ("watch", watch),
];

fn read(client: &mut Client, path: &str, len: usize) -> Result<()> {
    let value = client.must(Request::Read { path })?;
    ensure!(value.len() == len, "{path} has {} bytes", value.len());
    Ok(())
}

fn write(client: &mut Client, path: &str, value: &[u8]) -> Result<()> {
    client.must(Request::Write { path, value }).map(drop)
}

/// Reads and writes in a transaction.
fn transaction(client: &mut Client, _: usize) -> Result<()> {
    let id = client.start()?;
    client.ask(id, Request::Read { path: SMALL })??;
    let (path, value) = (SCRATCH, &b"2"[..]);
    client.ask(id, Request::Write { path, value })??;
    ensure!(client.end(id, Commit::Yes)?, "a transaction alone fails");
    Ok(())
}

/// Writes what the same program watches, and hears of it.
fn watch(client: &mut Client, _: usize) -> Result<()> {
    write(client, "/perf/watched", b"1")?;
    client.await_event("/perf/watched")
}

/// Prints a line for each row: its name, the seconds and the daemon's seconds of CPU time for a turn.
pub(crate) fn run(daemon: &Daemon, turns: usize) -> Result<()> {
    let mut client = Client::new(daemon)?;
    write(&mut client, SMALL, b"1")?;
    write(&mut client, LARGE, &[b'1'; 2000])?;
    for node in 0..20 {
        write(&mut client, &format!("{FOLDER}/{node}"), b"1")?;
    }
    let (path, token) = ("/perf/watched", "t");
    let depth = None;
    client.must(Request::Watch { path, token, depth })?;
    client.await_event(path)?;
    for (name, turn) in ROWS {
        let (before, began) = (cpu(daemon)?, Instant::now());
        for number in 0..turns {
            turn(&mut client, number)?;
        }
        let took = began.elapsed().as_secs_f64();
        let spent = cpu(daemon)? - before;
        let turns = turns as f64;
        println!("{name} {:e} {:e}", took / turns, spent / turns);
    }
    Ok(())
}
