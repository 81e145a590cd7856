//! What the writer and all readers of a journal share.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::ops::Range;

use morgana_block::{BlockDevice, BlockError};
use morgana_exec::Notify;

use crate::frame::Walk;
use crate::header::{Header, SEGMENT_BYTES};
use crate::{Cursor, Span};

/// A journal, to be read. Clones are the same one.
pub struct Journal<D>(pub(crate) Rc<Inner<D>>);

pub(crate) struct Inner<D> {
    pub(crate) device: D,
    /// How many segments the device has room for.
    pub(crate) places: usize,
    pub(crate) state: RefCell<State>,
    /// Entries were appended.
    pub(crate) appended: Notify,
}

/// What is where.
pub(crate) struct State {
    /// By their sequence. There is always one: the last one is open.
    pub(crate) segments: VecDeque<Segment>,
    pub(crate) open: Open,
}

/// A segment of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) sequence: u64,
    /// Where it is on the device, in segments.
    pub(crate) place: usize,
    /// The number of its first entry.
    pub(crate) first: u64,
    /// The times of its entries, if they are known. Those of the open one are with that.
    pub(crate) span: Option<Span>,
}

/// The segment that is appended to, whose bytes are in memory.
pub(crate) struct Open {
    pub(crate) header: Header,
    pub(crate) bytes: Vec<u8>,
    /// At its end.
    pub(crate) end: Walk,
    pub(crate) span: Span,
}

impl Open {
    /// A segment without entries.
    pub(crate) fn new(header: Header) -> Self {
        let mut bytes = Vec::with_capacity(SEGMENT_BYTES);
        bytes.extend_from_slice(&header.encode());
        Self {
            header,
            bytes,
            end: Walk::new(header.chain(), header.first),
            span: Span::NONE,
        }
    }
}

impl<D> Clone for Journal<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: BlockDevice> Journal<D> {
    /// The numbers of the entries that are there: from that of the oldest one to that which the next one will have.
    pub fn numbers(&self) -> Range<u64> {
        let state = self.0.state.borrow();
        let first = state.segments.front().map_or(0, |segment| segment.first);
        first..state.open.end.number
    }

    /// How many bytes the journal may take on its device.
    pub fn capacity(&self) -> u64 {
        self.0.places as u64 * SEGMENT_BYTES as u64
    }

    /// A counter that steps when entries are appended.
    pub fn appended(&self) -> &Notify {
        &self.0.appended
    }

    /// A place to read from: the oldest entry.
    pub fn oldest(&self) -> Cursor {
        Cursor::new(self.numbers().start)
    }

    /// A place to read from: the entry of this number, or the next one that is there.
    pub fn at(&self, number: u64) -> Cursor {
        Cursor::new(number)
    }

    /// A segment's bytes on the device.
    pub(crate) async fn read(&self, place: usize) -> Result<Vec<u8>, BlockError> {
        let mut bytes = alloc::vec![0; SEGMENT_BYTES];
        let sector = self.0.sector(place);
        self.0.device.read(sector, &mut bytes).await?;
        Ok(bytes)
    }
}

impl<D: BlockDevice> Inner<D> {
    /// The first sector of a place.
    pub(crate) fn sector(&self, place: usize) -> u64 {
        let sectors = SEGMENT_BYTES / self.device.geometry().sector_size();
        place as u64 * sectors as u64
    }
}

impl<D> fmt::Debug for Journal<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.borrow();
        f.debug_struct("Journal")
            .field("places", &self.0.places)
            .field("segments", &state.segments.len())
            .field("next", &state.open.end.number)
            .finish_non_exhaustive()
    }
}
