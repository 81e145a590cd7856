//! Copying to and from a peer's pages in batches, without mapping them (`GNTTABOP_copy`).

use morgana_abi::grant_table::{Copy, CopyPtr, GNTCOPY_DEST_GREF, GNTCOPY_SOURCE_GREF, GNTST_OKAY};
use morgana_abi::{DOMID_SELF, PAGE_SIZE};
use morgana_hal::{CopyFrom, CopyTo, DomId, GrantRef, MemoryError};

use super::error;
use crate::machine::hypercall;
use crate::machine::memory::mfn_at;

/// Operations in one hypercall.
const BATCH: usize = 32;

/// Copies out of a peer's pages.
pub(super) fn from(peer: DomId, operations: &mut [CopyFrom<'_>]) {
    let mut batch = Batch::new();
    for index in 0..operations.len() {
        let operation = &mut operations[index];
        operation.status = Ok(());
        let local = operation.into.as_mut_ptr().expose_provenance();
        let len = operation.into.len();
        let (grant, offset) = (operation.grant, operation.offset);
        let piece = |own: CopyPtr, theirs: CopyPtr, len| Copy {
            source: theirs,
            dest: own,
            len,
            flags: GNTCOPY_SOURCE_GREF,
            status: i16::MIN,
        };
        batch.add(
            operations,
            index,
            (peer, grant, offset),
            (local, len),
            piece,
        );
    }
    batch.flush(operations);
}

/// Copies into a peer's pages.
pub(super) fn to(peer: DomId, operations: &mut [CopyTo<'_>]) {
    let mut batch = Batch::new();
    for index in 0..operations.len() {
        let operation = &mut operations[index];
        operation.status = Ok(());
        let local = operation.from.as_ptr().expose_provenance();
        let len = operation.from.len();
        let (grant, offset) = (operation.grant, operation.offset);
        let piece = |own: CopyPtr, theirs: CopyPtr, len| Copy {
            source: own,
            dest: theirs,
            len,
            flags: GNTCOPY_DEST_GREF,
            status: i16::MIN,
        };
        batch.add(
            operations,
            index,
            (peer, grant, offset),
            (local, len),
            piece,
        );
    }
    batch.flush(operations);
}

/// What has a status to set.
trait Operation {
    fn set_status(&mut self, status: Result<(), MemoryError>);
}

impl Operation for CopyFrom<'_> {
    fn set_status(&mut self, status: Result<(), MemoryError>) {
        self.status = status;
    }
}

impl Operation for CopyTo<'_> {
    fn set_status(&mut self, status: Result<(), MemoryError>) {
        self.status = status;
    }
}

/// Pieces of operations: own memory is contiguous for us, but not for Xen, so a copy that crosses a page of ours is two.
struct Batch {
    pieces: [Copy; BATCH],
    /// For each piece, which operation it belongs to.
    owners: [usize; BATCH],
    len: usize,
}

impl Batch {
    fn new() -> Self {
        Self {
            pieces: [Copy::default(); BATCH],
            owners: [0; BATCH],
            len: 0,
        }
    }

    /// Adds the pieces of operation `index`.
    fn add(
        &mut self,
        operations: &mut [impl Operation],
        index: usize,
        (peer, grant, offset): (DomId, GrantRef, u16),
        (local, len): (usize, usize),
        piece: impl Fn(CopyPtr, CopyPtr, u16) -> Copy,
    ) {
        let offset = usize::from(offset);
        if len > PAGE_SIZE || offset > PAGE_SIZE - len {
            operations[index].set_status(Err(MemoryError::OutOfPage));
            return;
        }
        let mut done = 0;
        while done < len {
            let address = local + done;
            let count = (len - done).min(PAGE_SIZE - address % PAGE_SIZE);
            let Some(frame) = mfn_at(address) else {
                // Every slice lies in the linear map; one that does not cannot be copied.
                operations[index].set_status(Err(MemoryError::OutOfPage));
                return;
            };
            if self.len == BATCH {
                self.flush(operations);
            }
            // All figures are below 4,096, so they fit.
            let own = CopyPtr {
                frame: frame.number(),
                domid: DOMID_SELF,
                offset: (address % PAGE_SIZE) as u16,
            };
            let theirs = CopyPtr {
                frame: u64::from(grant.number()),
                domid: peer.number(),
                offset: (offset + done) as u16,
            };
            self.pieces[self.len] = piece(own, theirs, count as u16);
            self.owners[self.len] = index;
            self.len += 1;
            done += count;
        }
    }

    fn flush(&mut self, operations: &mut [impl Operation]) {
        let pieces = &mut self.pieces[..self.len];
        self.len = 0;
        if pieces.is_empty() {
            return;
        }
        // SAFETY: 1. An own source is part of a `&[u8]`, hence initialised, and borrowed by the operation while this runs. 2. An own
        // destination is part of a `&mut [u8]`, borrowed likewise; any bytes are valid there.
        let called = unsafe { hypercall::copy(pieces) };
        for (piece, &owner) in pieces.iter().zip(&self.owners) {
            if called.is_err() || piece.status != GNTST_OKAY {
                operations[owner].set_status(Err(error(piece.status)));
            }
        }
    }
}
