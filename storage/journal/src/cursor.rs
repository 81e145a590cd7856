//! Reading, also while others append.

use alloc::vec::Vec;
use core::ops::Range;

use morgana_block::{BlockDevice, BlockError};

use crate::frame::Walk;
use crate::header::Header;
use crate::journal::Segment;
use crate::{Journal, Span};

/// Where somebody reads. It may hold a segment's bytes.
#[derive(Debug)]
pub struct Cursor {
    /// The number of the next entry.
    next: u64,
    /// The sequence of the last segment that is done with.
    done: u64,
    loaded: Option<Loaded>,
    entry: Range<usize>,
}

/// What a reader came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// An entry; [`Cursor::entry`] has it.
    Entry {
        /// Its number.
        number: u64,
        /// The time that its writer gave it.
        time: u64,
    },
    /// So many entries are not there any more.
    Lost(u64),
    /// There are no further ones yet.
    End,
}

/// A segment's bytes.
#[derive(Debug)]
struct Loaded {
    sequence: u64,
    bytes: Vec<u8>,
    walk: Walk,
    whole: Whole,
}

/// Whether the bytes are all that the segment will ever have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whole {
    Yes,
    /// They were copied while it was open.
    No,
}

impl Cursor {
    pub(crate) const fn new(next: u64) -> Self {
        Self {
            next,
            done: 0,
            loaded: None,
            entry: 0..0,
        }
    }

    /// The entry that the last [`Step::Entry`] was.
    pub fn entry(&self) -> &[u8] {
        let bytes = self.loaded.as_ref().map_or(&[][..], |loaded| &loaded.bytes);
        bytes.get(self.entry.clone()).unwrap_or_default()
    }

    /// The number of the next entry.
    pub const fn number(&self) -> u64 {
        self.next
    }
}

/// Where a cursor that has nothing loaded goes.
enum Way {
    /// To this segment, which is closed.
    Closed(Segment),
    /// To this one, whose bytes these are.
    Open(Loaded),
    Lost(u64),
}

impl<D: BlockDevice> Journal<D> {
    /// Goes on by one entry. Segments whose span of time is not `wanted` may be passed over.
    ///
    /// # Errors
    ///
    /// The device's, once for a segment that cannot be read: after it the cursor is behind that.
    pub async fn next(
        &self,
        cursor: &mut Cursor,
        wanted: impl Fn(Span) -> bool,
    ) -> Result<Step, BlockError> {
        loop {
            if let Some(step) = self.in_loaded(cursor) {
                return Ok(step);
            }
            match self.way(cursor, &wanted) {
                Way::Lost(count) => {
                    cursor.next += count;
                    return Ok(Step::Lost(count));
                }
                Way::Open(loaded) => cursor.loaded = Some(loaded),
                Way::Closed(segment) => {
                    cursor.loaded = None;
                    let read = self.read(segment.place).await;
                    // Whatever has come of it, it is not tried again.
                    cursor.done = segment.sequence;
                    // Another one has taken its place meanwhile, or never let it be whole: what is missing will be seen at the next one.
                    let bytes = read?;
                    let header = Header::decode(&bytes);
                    cursor.loaded = header
                        .filter(|header| header.sequence == segment.sequence)
                        .map(|header| Loaded {
                            sequence: segment.sequence,
                            walk: Walk::new(header.chain(), header.first),
                            bytes,
                            whole: Whole::Yes,
                        });
                }
            }
        }
    }

    /// The next entry of the loaded segment, or its end if it is the open one.
    fn in_loaded(&self, cursor: &mut Cursor) -> Option<Step> {
        let loaded = cursor.loaded.as_mut()?;
        let state = self.0.state.borrow();
        let open = state.open.header.sequence == loaded.sequence;
        if open {
            let known = loaded.bytes.len();
            loaded.bytes.extend_from_slice(&state.open.bytes[known..]);
        }
        while let Some(frame) = loaded.walk.next(&loaded.bytes) {
            if frame.number >= cursor.next {
                cursor.next = frame.number + 1;
                cursor.entry = frame.entry;
                return Some(Step::Entry {
                    number: frame.number,
                    time: frame.time,
                });
            }
        }
        if open {
            return Some(Step::End);
        }
        if loaded.whole == Whole::Yes {
            cursor.loaded = None;
        }
        None
    }

    /// Where to go from the end of what is loaded.
    fn way(&self, cursor: &mut Cursor, wanted: impl Fn(Span) -> bool) -> Way {
        let state = self.0.state.borrow();
        let open = &state.open;
        let mut segments = state.segments.iter().peekable();
        while let Some(segment) = segments.next() {
            let Some(behind) = segments.peek() else {
                break;
            };
            if segment.sequence <= cursor.done || behind.first <= cursor.next {
                continue;
            }
            if segment.first > cursor.next {
                return Way::Lost(segment.first - cursor.next);
            }
            if segment.span.is_some_and(|span| !wanted(span)) {
                cursor.next = behind.first;
                continue;
            }
            return Way::Closed(*segment);
        }
        let first = open.header.first;
        if first > cursor.next {
            return Way::Lost(first - cursor.next);
        }
        Way::Open(Loaded {
            sequence: open.header.sequence,
            bytes: open.bytes.clone(),
            walk: Walk::new(open.header.chain(), first),
            whole: Whole::No,
        })
    }
}
