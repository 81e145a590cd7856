//! A guest that logs, and then looks for its own records at the logger, as `morgana log` does in Linux domains.
//!
//! Arguments on the command line: `count=N` records with the word `word=WORD`, one more of the level warn; `seconds=N` until it ends.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use core::error::Error;
use core::time::Duration;

use morgana::{Domain, Platform};
use morgana_logs::record::{Query, ToDomain};
use morgana_logs::{Reader, logger};

morgana::main!(run);

async fn run<P: Platform>(domain: Domain<P>) -> Result<(), Box<dyn Error>> {
    let line = domain.command_line();
    let word = line.value("word").unwrap_or("word");
    let count: u64 = line.parse("count", 10)?;
    for number in 0..count {
        log::info!(number = number; "{word} says {number}");
    }
    log::warn!("{word} has said all");
    while found(&domain, word).await? < count + 1 {
        domain.timers().sleep(Duration::from_millis(200)).await;
    }
    log::info!("all of it is in the log");
    domain
        .timers()
        .sleep(Duration::from_secs(line.parse("seconds", 3600)?))
        .await;
    Ok(())
}

/// How many of this domain's records with the word the logger has.
async fn found<P: Platform>(domain: &Domain<P>, word: &str) -> Result<u64, Box<dyn Error>> {
    let (platform, client) = (domain.platform(), domain.xenstore()?);
    let Some(peer) = logger(client).await? else {
        return Ok(0);
    };
    let query = Query {
        text: word.into(),
        ..Query::default()
    };
    let timers = domain.timers();
    let mut reader = Reader::open(platform, client, &timers, peer, "check", query).await?;
    let mut found = 0;
    loop {
        match reader.next().await? {
            ToDomain::Entry(..) => found += 1,
            ToDomain::UpToDate(_) => break,
            _ => {}
        }
    }
    reader.close().await?;
    Ok(found)
}
