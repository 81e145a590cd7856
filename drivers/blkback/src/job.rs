//! One request being done.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use morgana_block::{BlockDevice, BlockError};
use morgana_hal::{CopyFrom, CopyTo, Platform};

use crate::foreign::Foreign;
use crate::parse::{Span, Work};

/// Why a request was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// A page of the front end could not be read or written.
    BadGrant,
    Device(BlockError),
}

/// Does it.
pub(crate) async fn run<P: Platform, D: BlockDevice>(
    foreign: Rc<Foreign<P>>,
    device: Rc<D>,
    work: Work,
) -> Result<(), Failure> {
    match work {
        Work::Read(span) => {
            let mut bytes = vec![0; span.bytes];
            let read = device.read(span.sector, &mut bytes).await;
            read.map_err(Failure::Device)?;
            give(&foreign, &span, &bytes)
        }
        Work::Write(span) => {
            let mut bytes = vec![0; span.bytes];
            take(&foreign, &span, &mut bytes)?;
            let written = device.write(span.sector, &bytes).await;
            written.map_err(Failure::Device)
        }
        Work::Flush => device.flush().await.map_err(Failure::Device),
        Work::Discard { sector, count, how } => device
            .discard(sector, count, how)
            .await
            .map_err(Failure::Device),
    }
}

/// Copies out of the front end's pages: what was checked and what is written is the same copy.
fn take(foreign: &Foreign<impl Platform>, span: &Span, bytes: &mut [u8]) -> Result<(), Failure> {
    let mut rest = bytes;
    let mut copies = Vec::with_capacity(span.pieces.len());
    for piece in &span.pieces {
        let (into, behind) = rest.split_at_mut(piece.len.into());
        rest = behind;
        copies.push(CopyFrom {
            grant: piece.gref,
            offset: piece.offset,
            into,
            status: Ok(()),
        });
    }
    foreign.copy_from(&mut copies);
    all(copies.iter().all(|copy| copy.status.is_ok()))
}

/// Copies into the front end's pages.
fn give(foreign: &Foreign<impl Platform>, span: &Span, bytes: &[u8]) -> Result<(), Failure> {
    let mut rest = bytes;
    let mut copies = Vec::with_capacity(span.pieces.len());
    for piece in &span.pieces {
        let (from, behind) = rest.split_at(piece.len.into());
        rest = behind;
        copies.push(CopyTo {
            grant: piece.gref,
            offset: piece.offset,
            from,
            status: Ok(()),
        });
    }
    foreign.copy_to(&mut copies);
    all(copies.iter().all(|copy| copy.status.is_ok()))
}

fn all(copied: bool) -> Result<(), Failure> {
    if copied {
        Ok(())
    } else {
        Err(Failure::BadGrant)
    }
}
