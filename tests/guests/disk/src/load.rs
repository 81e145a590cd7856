//! How fast a disk is: `pattern=read|write|seq-read|seq-write`, `depth=N` accesses at once, `count=N` accesses in all. The same pattern as in the Linux
//! domain that this is compared with: random places are those of the same generator.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::cell::Cell;

use morgana::block::BlockDevice;
use morgana::exec::join_all;
use morgana::hal::Clock;
use morgana::{Domain, Platform, log};

use crate::Failure;

/// What is done.
#[derive(Clone, Copy)]
struct Load {
    writes: bool,
    random: bool,
    bytes: usize,
    depth: usize,
    count: u64,
}

impl Load {
    fn parse(words: &morgana::CommandLine) -> Result<Self, Failure> {
        let (writes, random) = match words.value("pattern").unwrap_or("read") {
            "read" => (false, true),
            "write" => (true, true),
            "seq-read" => (false, false),
            "seq-write" => (true, false),
            _ => return Err(Failure::Unknown),
        };
        Ok(Self {
            writes,
            random,
            bytes: if random { 4096 } else { 131_072 },
            depth: words.parse("depth", 1)?,
            count: words.parse("count", 1000)?,
        })
    }
}

/// Waits for a word in xenstore that starts the measurement, and says when it is over; so others can look at the domain's CPU time in between.
pub(crate) async fn run<P: Platform>(
    domain: &Domain<P>,
    disk: &impl BlockDevice,
) -> Result<String, Failure> {
    let load = Load::parse(domain.command_line())?;
    // What is on the way for the first time: page tables, caches, pages of the pool that the back end has not mapped.
    once(
        disk,
        &Load {
            count: load.count.min(512),
            ..load
        },
    )
    .await?;
    log::info!("READY");
    let start = domain.platform().clock().now();
    once(disk, &load).await?;
    let nanos = (domain.platform().clock().now() - start).as_nanos();
    log::info!("DONE {} {nanos}", load.count);
    Ok(format!("{} accesses in {nanos} ns", load.count))
}

async fn once(disk: &impl BlockDevice, load: &Load) -> Result<(), Failure> {
    let next = Cell::new(0u64);
    let state = Cell::new(1u64);
    let places = disk.geometry().bytes() / load.bytes as u64;
    let sectors = (load.bytes / disk.geometry().sector_size()) as u64;
    let worker = || async {
        let mut bytes = vec![0x5a; load.bytes];
        while next.get() < load.count {
            let number = next.replace(next.get() + 1);
            let place = if load.random {
                xorshift(&state) % places
            } else {
                number % places
            };
            if load.writes {
                disk.write(place * sectors, &bytes).await?;
            } else {
                disk.read(place * sectors, &mut bytes).await?;
            }
        }
        Ok(())
    };
    join_all((0..load.depth).map(|_| worker()))
        .await
        .into_iter()
        .collect()
}

/// Marsaglia, "Xorshift RNGs", 2003.
fn xorshift(state: &Cell<u64>) -> u64 {
    let mut x = state.get();
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    state.set(x);
    x
}
