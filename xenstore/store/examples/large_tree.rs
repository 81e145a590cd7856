//! What a node takes, and what transactions and the end of a domain cost, in a tree of 120,000 nodes: `cargo run --release -p morgana-xenstore-store --example large_tree`.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use morgana_hal::DomId;
use morgana_xenstore_store::{ConnectionId, HandOver, Outgoing, Quota, Rights, Store};
use morgana_xenstore_wire::{Commit, Decoder, Request, RequestId, TransactionId};

const ROUNDS: u32 = 10_000;

/// A value that has a place of its own in memory, and one that needs none.
const LONG: &[u8] = b"a value of some length";
const SHORT: &[u8] = b"12345678";

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::new();
    for (what, folders, nodes, value) in [
        ("few", 1, 10, LONG),
        ("200x600", 200, 600, LONG),
        ("short", 200, 600, SHORT),
        ("flat", 1, 120_000, LONG),
    ] {
        let before = resident();
        for folder in 0..folders {
            for node in 0..nodes {
                let path = format!("/{what}/{folder}/node-{node}");
                bench.write(TransactionId::NONE, &path, value)?;
            }
        }
        let made = folders * nodes;
        println!(
            "{what:>10}: {made} nodes, {} bytes each",
            (resident() - before) / made
        );
        let path = format!("/{what}/0/node-{}", nodes / 2);
        let began = Instant::now();
        for _ in 0..ROUNDS {
            bench.transaction(&path, None)?;
        }
        let alone = began.elapsed() / ROUNDS;
        let began = Instant::now();
        for _ in 0..ROUNDS {
            bench.transaction(&path, Some("/other"))?;
        }
        let beside = began.elapsed() / ROUNDS;
        let release = bench.release()?;
        println!(
            "{what:>10}: start, write, commit {alone:?}; beside another's write {beside:?}; a domain's end {release:?}"
        );
    }
    hand_over()
}

/// What it takes to write 120,000 nodes to a stream, and to make a store of it.
fn hand_over() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::new();
    for folder in 0..200 {
        for node in 0..600 {
            let path = format!("/tree/{folder}/node-{node}");
            bench.write(TransactionId::NONE, &path, LONG)?;
        }
    }
    let began = Instant::now();
    let stream = bench.store.export(&HandOver::default(), &BTreeMap::new())?;
    let written = began.elapsed();
    let began = Instant::now();
    let loaded = Store::load(&stream, Quota::default())?;
    let read = began.elapsed();
    let nodes = loaded.store.nodes_of(DomId::DOM0);
    let bytes = stream.len();
    println!(
        "{nodes} nodes as a stream of {bytes} bytes: written in {written:?}, read in {read:?}"
    );
    Ok(())
}

/// Bytes of memory that the process has.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split_whitespace().nth(1);
    pages.and_then(|pages| pages.parse().ok()).unwrap_or(0) * 4096
}

struct Bench {
    store: Store,
    control: ConnectionId,
    out: Vec<Outgoing>,
}

impl Bench {
    fn new() -> Self {
        let mut store = Store::new(Quota::default());
        let mut out = Vec::new();
        let control = store.introduce(DomId::DOM0, Rights::Control, &mut out);
        Self {
            store,
            control,
            out,
        }
    }

    fn ask(&mut self, id: TransactionId, request: Request<'_>) -> Result<String, Box<dyn Error>> {
        let mut bytes = Vec::new();
        request.encode(RequestId(1), id, &mut bytes)?;
        let mut decoder = Decoder::new();
        decoder.space()[..bytes.len()].copy_from_slice(&bytes);
        decoder.filled(bytes.len());
        let packet = decoder.next()?.ok_or("half a packet")?;
        self.out.clear();
        let _ = self
            .store
            .handle(self.control, packet, &|_| true, &mut self.out);
        let packet = self.out[0].content.bytes();
        let payload = &packet[morgana_xenstore_wire::HEADER_LEN..];
        Ok(String::from_utf8_lossy(payload)
            .trim_end_matches('\0')
            .into())
    }

    fn write(&mut self, id: TransactionId, path: &str, value: &[u8]) -> Result<(), Box<dyn Error>> {
        self.ask(id, Request::Write { path, value }).map(drop)
    }

    /// How long it takes to release a domain that has a few nodes.
    fn release(&mut self) -> Result<Duration, Box<dyn Error>> {
        const TIMES: u32 = 50;
        let domain = DomId::new(1);
        let mut took = Duration::ZERO;
        for _ in 0..TIMES {
            self.store.introduce(domain, Rights::Guest, &mut self.out);
            for node in 0..60 {
                let path = format!("/local/domain/1/{node}");
                self.write(TransactionId::NONE, &path, SHORT)?;
                let permissions = b"n1\0";
                let request = Request::SetPerms {
                    path: &path,
                    permissions,
                };
                self.ask(TransactionId::NONE, request)?;
            }
            let began = Instant::now();
            self.store.release(domain, &mut self.out);
            took += began.elapsed();
        }
        Ok(took / TIMES)
    }

    fn transaction(&mut self, path: &str, beside: Option<&str>) -> Result<(), Box<dyn Error>> {
        let started = self.ask(TransactionId::NONE, Request::TransactionStart)?;
        let id = TransactionId(started.parse()?);
        self.write(id, path, LONG)?;
        if let Some(other) = beside {
            self.write(TransactionId::NONE, other, LONG)?;
        }
        let commit = Commit::Yes;
        let ended = self.ask(id, Request::TransactionEnd { commit })?;
        if ended != "OK" {
            return Err(ended.into());
        }
        Ok(())
    }
}
