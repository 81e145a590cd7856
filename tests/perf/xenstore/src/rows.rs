//! Programs that ask one request after the other: what the rows of Xen's test-xenstore do.

use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use morgana_xenstore_peers::Daemon;
use morgana_xenstore_wire::{Commit, Request};

use crate::client::Client;
use crate::usage::cpu;

/// A row: its name, and a turn of it in a client's own folder.
type Row = (&'static str, fn(&mut Client, &Paths) -> Result<()>);

const SMALL: &str = "/perf/small";
const LARGE: &str = "/perf/large";
/// Whose list of children is asked for.
const FOLDER: &str = "/perf/folder";

const ROWS: [Row; 9] = [
    ("read-1", |client, _| read(client, SMALL, 1)),
    ("read-2000", |client, _| read(client, LARGE, 2000)),
    ("write-1", |client, own| write(client, &own.scratch, b"1")),
    ("write-2000", |client, own| {
        write(client, &own.scratch, &[b'1'; 2000])
    }),
    ("directory", |client, _| {
        client.must(Request::Directory { path: FOLDER }).map(drop)
    }),
    ("remove", |client, own| {
        write(client, &own.gone, b"1")?;
        client.must(Request::Rm { path: &own.gone }).map(drop)
    }),
    ("transaction-empty", |client, _| {
        let id = client.start()?;
        ensure!(client.end(id, Commit::Yes)?, "an empty transaction fails");
        Ok(())
    }),
    ("transaction", transaction),
    ("watch", watch),
];

/// The nodes that one client changes.
struct Paths {
    scratch: String,
    gone: String,
    watched: String,
}

impl Paths {
    fn of(client: usize) -> Self {
        let path = |name| format!("/perf/clients/{client}/{name}");
        Self {
            scratch: path("scratch"),
            gone: path("gone"),
            watched: path("watched"),
        }
    }
}

fn read(client: &mut Client, path: &str, len: usize) -> Result<()> {
    let value = client.must(Request::Read { path })?;
    ensure!(value.len() == len, "{path} has {} bytes", value.len());
    Ok(())
}

fn write(client: &mut Client, path: &str, value: &[u8]) -> Result<()> {
    client.must(Request::Write { path, value }).map(drop)
}

/// Reads and writes in a transaction. (oxenstored fails some when others commit; such a turn counts all the same.)
fn transaction(client: &mut Client, own: &Paths) -> Result<()> {
    let id = client.start()?;
    client.ask(id, Request::Read { path: SMALL })??;
    let (path, value) = (own.scratch.as_str(), &b"2"[..]);
    client.ask(id, Request::Write { path, value })??;
    client.end(id, Commit::Yes).map(drop)
}

/// Writes what the same program watches, and hears of it.
fn watch(client: &mut Client, own: &Paths) -> Result<()> {
    write(client, &own.watched, b"1")?;
    client.await_event(&own.watched)
}

/// Prints a line for each row: its name, the seconds and the daemon's seconds of CPU time for a turn, of so many clients at once.
pub(crate) fn run(daemon: &Daemon, clients: usize, turns: usize) -> Result<()> {
    let mut first = Client::new(daemon)?;
    write(&mut first, SMALL, b"1")?;
    write(&mut first, LARGE, &[b'1'; 2000])?;
    for node in 0..20 {
        write(&mut first, &format!("{FOLDER}/{node}"), b"1")?;
    }
    let mut all = Vec::new();
    for number in 0..clients {
        let (mut client, own) = (Client::new(daemon)?, Paths::of(number));
        let (path, token, depth) = (own.watched.as_str(), "t", None);
        client.must(Request::Watch { path, token, depth })?;
        client.await_event(path)?;
        all.push((client, own));
    }
    for (name, turn) in ROWS {
        let (before, began) = (cpu(daemon)?, Instant::now());
        thread::scope(|scope| {
            let threads: Vec<_> = all
                .iter_mut()
                .map(|(client, own)| {
                    scope.spawn(move || (0..turns).try_for_each(|_| turn(client, own)))
                })
                .collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().map_err(|_| anyhow!("a program panics"))?)
        })?;
        let took = began.elapsed().as_secs_f64();
        let spent = cpu(daemon)? - before;
        let turns = (clients * turns) as f64;
        println!("{name} {:e} {:e}", took / turns, spent / turns);
    }
    Ok(())
}
