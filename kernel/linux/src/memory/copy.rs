//! Copying to and from a peer's pages in batches, without mapping them.

use std::os::fd::OwnedFd;

use morgana_abi::grant_table as gnttab;
use morgana_hal::{CopyFrom, CopyTo, DomId, MemoryError, PAGE_SIZE};
use rustix::io::{self, Errno};

use crate::ioctl::gntdev::{self, Foreign, Segment};

/// Operations in one request. The kernel takes any number; this is what lies on the stack.
const BATCH: usize = 64;

/// Copies out of a peer's pages.
pub(super) fn from(device: &OwnedFd, peer: DomId, operations: &mut [CopyFrom<'_>]) {
    for batch in operations.chunks_mut(BATCH) {
        let mut segments = Segments::new();
        for operation in &mut *batch {
            let foreign = Foreign {
                peer,
                grant: operation.grant,
                offset: operation.offset,
            };
            let to = operation.into.as_mut_ptr().expose_provenance();
            let segment = |len| Segment::from_foreign(foreign, to, len);
            operation.status = segments.add(operation.offset, operation.into.len(), segment);
        }
        if segments.len == 0 {
            continue;
        }
        // SAFETY: each destination is the whole of an operation's `&mut [u8]`, borrowed while this runs; any bytes are valid there.
        let done = unsafe { gntdev::copy(device, segments.all()) };
        let asked = batch
            .iter_mut()
            .filter(|operation| operation.status.is_ok());
        for (operation, status) in asked.zip(segments.statuses(done)) {
            operation.status = status;
        }
    }
}

/// Copies into a peer's pages.
pub(super) fn to(device: &OwnedFd, peer: DomId, operations: &mut [CopyTo<'_>]) {
    for batch in operations.chunks_mut(BATCH) {
        let mut segments = Segments::new();
        for operation in &mut *batch {
            let foreign = Foreign {
                peer,
                grant: operation.grant,
                offset: operation.offset,
            };
            let from = operation.from.as_ptr().expose_provenance();
            let segment = |len| Segment::to_foreign(from, foreign, len);
            operation.status = segments.add(operation.offset, operation.from.len(), segment);
        }
        if segments.len == 0 {
            continue;
        }
        // SAFETY: each source is the whole of an operation's `&[u8]`, initialised and borrowed while this runs.
        let done = unsafe { gntdev::copy(device, segments.all()) };
        let asked = batch
            .iter_mut()
            .filter(|operation| operation.status.is_ok());
        for (operation, status) in asked.zip(segments.statuses(done)) {
            operation.status = status;
        }
    }
}

/// The segments of a batch: one for each operation that stays inside its page, in order.
struct Segments {
    segments: [Segment; BATCH],
    len: usize,
}

impl Segments {
    fn new() -> Self {
        Self {
            segments: [Segment::default(); BATCH],
            len: 0,
        }
    }

    /// Adds one, unless it leaves the page; the kernel would refuse the whole batch then.
    fn add(
        &mut self,
        offset: u16,
        len: usize,
        segment: impl FnOnce(u16) -> Segment,
    ) -> Result<(), MemoryError> {
        let offset = usize::from(offset);
        if len > PAGE_SIZE || offset > PAGE_SIZE - len {
            return Err(MemoryError::OutOfPage);
        }
        // At most 4,096, so it fits.
        self.segments[self.len] = segment(len as u16);
        self.len += 1;
        Ok(())
    }

    fn all(&mut self) -> &mut [Segment] {
        &mut self.segments[..self.len]
    }

    /// How each went, after the request itself went as `done` says.
    fn statuses(&self, done: io::Result<()>) -> impl Iterator<Item = Result<(), MemoryError>> + '_ {
        self.segments[..self.len]
            .iter()
            .map(move |segment| status(done, segment.status))
    }
}

fn status(done: io::Result<()>, status: i16) -> Result<(), MemoryError> {
    match (done, status) {
        (Ok(()), gnttab::GNTST_OKAY) => Ok(()),
        (Ok(()), gnttab::GNTST_BAD_DOMAIN) => Err(MemoryError::NoSuchDomain),
        (Ok(()), gnttab::GNTST_BAD_COPY_ARG) => Err(MemoryError::OutOfPage),
        (Ok(()), _) => Err(MemoryError::BadGrant),
        // Which of them have been done is not known: none is taken for done.
        (Err(Errno::NOMEM), _) => Err(MemoryError::OutOfMemory),
        (Err(_), _) => Err(MemoryError::BadGrant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_page_is_no_segment() {
        let mut segments = Segments::new();
        let foreign = Foreign {
            peer: DomId::new(1),
            grant: morgana_hal::GrantRef::new(1),
            offset: 0,
        };
        let mut add =
            |offset, len| segments.add(offset, len, |len| Segment::from_foreign(foreign, 0, len));
        assert_eq!(add(4095, 1), Ok(()));
        assert_eq!(add(4095, 2), Err(MemoryError::OutOfPage));
        assert_eq!(add(0, 4097), Err(MemoryError::OutOfPage));
        assert_eq!(add(u16::MAX, 0), Err(MemoryError::OutOfPage));
        assert_eq!(add(4096, 0), Ok(()));
        assert_eq!(segments.all().len(), 2);
    }

    #[test]
    fn nothing_counts_as_done_after_a_failure() {
        assert_eq!(status(Ok(()), 0), Ok(()));
        assert_eq!(status(Ok(()), i16::MIN), Err(MemoryError::BadGrant));
        assert_eq!(status(Err(Errno::FAULT), 0), Err(MemoryError::BadGrant));
        assert_eq!(status(Err(Errno::NOMEM), 0), Err(MemoryError::OutOfMemory));
    }
}
