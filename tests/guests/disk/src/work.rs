//! Everything that a disk can do.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::pin::pin;

use morgana::block::{BlockDevice, BlockError, Discard, Writes};
use morgana::exec::{select, yield_now};
use morgana::xenstore::Client;

use crate::{Failure, pattern};

/// Accesses of every kind, good and bad, on a disk that can be written.
pub(crate) async fn check(disk: &impl BlockDevice) -> Result<String, Failure> {
    let geometry = disk.geometry();
    let (size, last) = (geometry.sector_size(), geometry.sectors() - 1);
    let mut sector = vec![7; size];
    disk.write(last, &sector).await?;
    sector.fill(0);
    disk.read(last, &mut sector).await?;
    if sector != vec![7; size] {
        return Err(Failure::Different);
    }
    is(
        disk.read(last + 1, &mut sector).await,
        BlockError::OutOfRange,
    )?;
    is(disk.write(u64::MAX, &sector).await, BlockError::OutOfRange)?;
    is(disk.write(0, &sector[1..]).await, BlockError::Misaligned)?;
    // A write whose future is dropped happens all the same, or does not; either way the device goes on.
    {
        let dropped = pin!(disk.write(0, &sector));
        select(dropped, yield_now()).await;
    }
    // Larger than any request.
    let large = (geometry.bytes() as usize).min(3 << 20) / size * size;
    let mut bytes = vec![0; large];
    pattern::fill(3, 0, &mut bytes);
    disk.write(0, &bytes).await?;
    let mut found = vec![0; large];
    disk.read(0, &mut found).await?;
    if found != bytes {
        return Err(Failure::Different);
    }
    disk.flush().await?;
    let discarded = if disk.discards(Discard::Plain) {
        disk.discard(0, 8, Discard::Plain).await?;
        "with discard"
    } else {
        is(
            disk.discard(0, 8, Discard::Plain).await,
            BlockError::Unsupported,
        )?;
        "without discard"
    };
    Ok(format!(
        "sectors of {size}, {} of them, {discarded}",
        geometry.sectors()
    ))
}

/// A disk that cannot be written.
pub(crate) async fn refused(disk: &impl BlockDevice) -> Result<String, Failure> {
    let geometry = disk.geometry();
    if geometry.writes() != Writes::Refused {
        return Err(Failure::Allowed);
    }
    let mut sector = vec![0; geometry.sector_size()];
    disk.read(0, &mut sector).await?;
    is(disk.write(0, &sector).await, BlockError::ReadOnly)?;
    is(
        disk.discard(0, 1, Discard::Plain).await,
        BlockError::ReadOnly,
    )?;
    Ok(format!("crc {:08x}", pattern::read(disk).await?))
}

/// Writes and reads back all the time, whatever becomes of the back end meanwhile, until there is a node `data/enough`, and for some rounds more.
pub(crate) async fn keep(client: &Client, disk: &impl BlockDevice) -> Result<String, Failure> {
    const BYTES: usize = 65_536;
    /// It looks for the node after so many rounds each.
    const LOOK: u64 = 16;
    const MORE: u64 = 256;
    let places = disk.geometry().bytes() / BYTES as u64;
    let sectors = (BYTES / disk.geometry().sector_size()) as u64;
    let (mut bytes, mut found) = (vec![0; BYTES], vec![0; BYTES]);
    let (mut rounds, mut end) = (0u64, u64::MAX);
    while rounds < end {
        if end == u64::MAX
            && rounds.is_multiple_of(LOOK)
            && client.read("data/enough").await.is_ok()
        {
            end = rounds + MORE;
        }
        let place = rounds % places;
        pattern::fill(rounds, 0, &mut bytes);
        disk.write(place * sectors, &bytes).await?;
        // What was acknowledged before must be there: the round before last time at this place is overwritten, the others are not.
        let earlier = rounds.saturating_sub(rounds % 7);
        pattern::fill(earlier, 0, &mut bytes);
        if rounds - earlier < places {
            disk.read(earlier % places * sectors, &mut found).await?;
            if found != bytes {
                return Err(Failure::Different);
            }
        }
        rounds += 1;
        morgana::log::debug!("round {rounds}");
        if rounds == 1 {
            morgana::log::info!("the first round is done");
        }
    }
    Ok(format!("{rounds} rounds"))
}

fn is(result: Result<(), BlockError>, wanted: BlockError) -> Result<(), Failure> {
    match result {
        Err(error) if error == wanted => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Err(Failure::Allowed),
    }
}
