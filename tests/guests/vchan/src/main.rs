//! One end of a vchan, for tests and for the benchmark `vchan`. `peer.c` beside it is the same with libxenvchan.
//!
//! Arguments on the command line: `end=server` or `end=client`, `peer=` the other end's domain, `path=` where the vchan is in xenstore, `size=` the bytes
//! that each ring holds, and `do=`:
//!
//! * `echo`: it sends back what comes, until the other end goes; then it waits for the next.
//! * `messages`: the same with whole messages. One is a length (four bytes, little-endian) and so many bytes, at most what the ring holds. A length of 0 has it
//!   say good-bye, close, and wait for the next; one of 2^32 - 1 has it say good-bye and end.
//! * `sink`: it takes `bytes=` bytes, and answers with one.
//! * `source`: it sends `bytes=` bytes in pieces of `piece=`, waits for the answer, and says how long that took.
//! * `ping`: it sends a byte and waits for one, `count=` times, and says how long the middle one took.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod measure;
mod send_back;

use alloc::boxed::Box;
use core::error::Error;

use morgana::hal::DomId;
use morgana::{CommandLine, Domain, Platform, log};
use morgana_vchan::{Sizes, Vchan, connect, listen, withdraw};

use send_back::Next;

morgana::main!(run);

async fn run<P: Platform>(domain: Domain<P>) -> Result<(), Box<dyn Error>> {
    let line = domain.command_line();
    let bytes = line.parse("bytes", 0)?;
    let piece = line.parse("piece", 4096)?;
    let clock = domain.platform().clock();
    match line.value("do") {
        None | Some("echo") => loop {
            let vchan = open(&domain).await?;
            let (bytes, end) = send_back::stream(&vchan).await;
            log::info!("{bytes} bytes sent back; {end}");
        },
        Some("messages") => loop {
            let vchan = open(&domain).await?;
            let (count, next) = send_back::messages(&vchan).await?;
            // Before the other end is told: it may come again at once.
            if line.value("end") != Some("client") {
                withdraw(domain.xenstore()?, path(line)).await?;
            }
            vchan.send(b"bye").await?;
            drop(vchan);
            log::info!("{count} messages sent back");
            if next == Next::End {
                return Ok(());
            }
        },
        Some("sink") => measure::sink(&open(&domain).await?, bytes, piece).await?,
        Some("source") => {
            let took = measure::source(&open(&domain).await?, clock, bytes, piece).await?;
            log::info!("took {} ns", took.as_nanos());
        }
        Some("ping") => {
            let count = line.parse("count", 1000)?;
            let took = measure::ping(&open(&domain).await?, clock, count).await?;
            log::info!("took {} ns", took.as_nanos());
        }
        Some(what) => return Err(what.into()),
    }
    Ok(())
}

/// Waits for a client that has the other end, or for a server.
async fn open<P: Platform>(domain: &Domain<P>) -> Result<Vchan<P>, Box<dyn Error>> {
    let line = domain.command_line();
    let peer = DomId::new(line.parse("peer", 0)?);
    let path = path(line);
    let size = line.parse("size", 65_536)?;
    let sizes = Sizes {
        to_server: size,
        to_client: size,
    };
    let (platform, client) = (domain.platform(), domain.xenstore()?);
    let vchan = match line.value("end") {
        Some("client") => connect(platform, client, peer, path).await?,
        _ => listen(platform, client, peer, path, sizes).await?,
    };
    log::info!("ready");
    Ok(vchan)
}

fn path(line: &CommandLine) -> &str {
    line.value("path").unwrap_or("data/vchan")
}
