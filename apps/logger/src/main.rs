//! The logger: the program. Its README has the arguments, and so has `--help`.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod arguments;
mod disk;
mod host;

use alloc::boxed::Box;
use core::error::Error;

use morgana::hal::DomId;
use morgana::xenstore::Client;
use morgana::{Domain, log};
use morgana_journal::open;
use morgana_logger::Logger;

use disk::Disk;
use host::Host;

morgana::main!(run, help = arguments::HELP);

async fn run<P: Host>(domain: Domain<P>) -> Result<(), Box<dyn Error>> {
    let options = arguments::options(domain.command_line())?;
    let disk = Disk::open(&domain).await?;
    let mut seed = [0; 8];
    domain.platform().entropy(&mut seed);
    let (writer, journal) = open(disk, u64::from_le_bytes(seed)).await?;
    let (kept, size) = (journal.numbers(), journal.capacity() >> 10);
    log::info!(
        "{} records are there; room for {size} KiB",
        kept.end - kept.start
    );
    let client = domain.xenstore()?;
    let journal = (writer, journal);
    let logger = Logger::new(domain.platform(), client, domain.tasks(), journal, options).await?;
    domain.tasks().spawn(publish(client.clone()))?;
    match logger.serve().await? {}
}

/// Tells all domains who their logger is, if this domain may: only the control domain can, and does it for others by `morgana logger`.
async fn publish(client: Client) {
    let Ok(own) = client.read_number("domid").await.map(DomId::new) else {
        return;
    };
    match morgana_logs::publish(&client, own).await {
        Ok(()) => log::info!("serves as the machine's logger"),
        Err(_) => log::info!(
            "serves as {own}: `morgana logger {}` in dom0 tells all domains",
            own.number()
        ),
    }
}
