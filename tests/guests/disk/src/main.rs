//! Moves data to and from a disk, as the command line says:
//!
//! * `disk=xvda`: which disk.
//! * `do=write seed=N`: fills it with what the seed gives, reads it back, and writes `SUCCESS` and the checksum.
//! * `do=read`: writes `SUCCESS` and the checksum of what is on it.
//! * `do=check`: tries everything that a disk can do. `do=refused`: the same for a disk that is read-only.
//! * `do=keep`: writes and reads back all the time, until it has a node `data/enough`.
//! * `do=load`: see `load`.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod cases;
mod load;
mod pattern;
mod work;

use alloc::format;
use alloc::string::String;
use core::fmt;

use morgana::blkfront::Config;
use morgana::block::BlockError;
use morgana::{BadArgument, DiskError, Domain, NoXenstore, Platform, log};

morgana::main!(disk);

async fn disk<P: Platform>(domain: Domain<P>) -> Result<(), Failure> {
    match work(&domain).await {
        Ok(told) => {
            log::info!("SUCCESS {told}");
            Ok(())
        }
        Err(error) => {
            log::error!("FAILURE {error}");
            Err(error)
        }
    }
}

async fn work<P: Platform>(domain: &Domain<P>) -> Result<String, Failure> {
    let arguments = domain.command_line();
    let what = arguments.value("do").unwrap_or("check");
    let seed = arguments.parse("seed", 1u64)?;
    let config = Config {
        pool_pages: arguments.parse("pool", Config::default().pool_pages)?,
        queues: arguments.parse("queues", 1)?,
        ring_page_order: arguments.parse("order", 0)?,
        segments: arguments.parse("segments", Config::default().segments)?,
    };
    let name = arguments.value("disk").unwrap_or("xvda");
    let disk = domain.disk_with(name, config).await?;
    let told = match what {
        "write" => {
            pattern::write(&disk, seed).await?;
            let wanted = pattern::checksum(&disk, seed);
            let found = pattern::read(&disk).await?;
            if found != wanted {
                return Err(Failure::Different);
            }
            format!("crc {found:08x}")
        }
        "read" => format!("crc {:08x}", pattern::read(&disk).await?),
        "check" => work::check(&disk).await?,
        "refused" => work::refused(&disk).await?,
        "keep" => work::keep(domain.xenstore()?, &disk).await?,
        "load" => load::run(domain, &disk).await?,
        _ => return Err(Failure::Unknown),
    };
    log::info!("{:?}", disk.stats());
    disk.close().await;
    Ok(told)
}

/// Why it did not come off.
enum Failure {
    Argument(BadArgument),
    Xenstore(NoXenstore),
    Disk(DiskError),
    Block(BlockError),
    /// What is read is not what was written.
    Different,
    /// Something was allowed that must not be.
    Allowed,
    /// There is no such work.
    Unknown,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(error) => error.fmt(f),
            Self::Xenstore(error) => error.fmt(f),
            Self::Disk(error) => error.fmt(f),
            Self::Block(error) => error.fmt(f),
            Self::Different => f.write_str("what is read is not what was written"),
            Self::Allowed => f.write_str("something was allowed that must not be"),
            Self::Unknown => f.write_str("the command line asks for unknown work"),
        }
    }
}

impl From<BadArgument> for Failure {
    fn from(error: BadArgument) -> Self {
        Self::Argument(error)
    }
}

impl From<NoXenstore> for Failure {
    fn from(error: NoXenstore) -> Self {
        Self::Xenstore(error)
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<BlockError> for Failure {
    fn from(error: BlockError) -> Self {
        Self::Block(error)
    }
}
