//! Appending.

use core::fmt;

use morgana_block::{BlockDevice, BlockError};

use crate::frame::{MAX_ENTRY, frame_bytes};
use crate::header::{Header, SEGMENT_BYTES};
use crate::journal::{Open, Segment, State};
use crate::{Journal, JournalError};

/// The one end of a journal that appends.
pub struct Writer<D> {
    journal: Journal<D>,
    seed: u64,
    /// How many of the open segment's bytes are durable.
    durable: usize,
}

impl<D: BlockDevice> Writer<D> {
    pub(crate) fn new(journal: Journal<D>, seed: u64, durable: usize) -> Self {
        Self {
            journal,
            seed,
            durable,
        }
    }

    /// Appends an entry, which readers see at once, and returns its number. It is durable after the next [`commit`](Self::commit). `time` is for those who
    /// look for a span of time; it needs not be later than that of the entry before.
    ///
    /// # Errors
    ///
    /// [`JournalError::Size`], or the device's if the segment is full and could not be written: then nothing is appended.
    pub async fn append(&mut self, time: u64, entry: &[u8]) -> Result<u64, JournalError> {
        if !(1..=MAX_ENTRY).contains(&entry.len()) {
            return Err(JournalError::Size);
        }
        let len = frame_bytes(entry.len());
        if self.journal.0.state.borrow().open.bytes.len() + len > SEGMENT_BYTES {
            // So that no segment begins before the one behind it has ended, also on a device that reorders.
            self.commit().await?;
            self.begin_segment();
        }
        let mut state = self.journal.0.state.borrow_mut();
        let open = &mut state.open;
        let number = open.end.number;
        open.end.put(&mut open.bytes, time, entry);
        open.span = open.span.with(time);
        drop(state);
        self.journal.0.appended.notify();
        Ok(number)
    }

    /// Makes all entries that were appended durable, and returns the number that the next one will have.
    ///
    /// # Errors
    ///
    /// The device's. Then some may be durable and others not; another commit tries again.
    pub async fn commit(&mut self) -> Result<u64, BlockError> {
        let inner = &self.journal.0;
        let sector_size = inner.device.geometry().sector_size();
        let (sector, bytes, end) = {
            let state = inner.state.borrow();
            let open = &state.open;
            if self.durable == open.bytes.len() {
                return Ok(open.end.number);
            }
            // The first sector that is not as it is to be, which may begin with what is durable: that stays what it is.
            let from = self.durable / sector_size * sector_size;
            let mut bytes = open.bytes[from..].to_vec();
            bytes.resize(bytes.len().next_multiple_of(sector_size), 0);
            let place = state.segments.back().map_or(0, |segment| segment.place);
            let sector = inner.sector(place) + (from / sector_size) as u64;
            (sector, bytes, (open.bytes.len(), open.end.number))
        };
        inner.device.write(sector, &bytes).await?;
        inner.device.flush().await?;
        let (durable, next) = end;
        self.durable = durable;
        Ok(next)
    }

    /// Begins a segment, where there is none yet, or where the oldest one is. Nothing is written yet.
    fn begin_segment(&mut self) {
        let places = self.journal.0.places;
        let mut state = self.journal.0.state.borrow_mut();
        let State { segments, open } = &mut *state;
        let place = match (segments.len() < places)
            .then(|| free_place(segments.iter(), places))
            .flatten()
        {
            Some(free) => free,
            // There is always a segment.
            None => segments.pop_front().map_or(0, |oldest| oldest.place),
        };
        if let Some(last) = segments.back_mut() {
            last.span = Some(open.span);
        }
        let sequence = open.header.sequence + 1;
        let header = Header {
            sequence,
            first: open.end.number,
            nonce: nonce(self.seed, sequence),
            before: open.span,
        };
        segments.push_back(Segment {
            sequence,
            place,
            first: header.first,
            span: None,
        });
        *open = Open::new(header);
        self.durable = 0;
    }
}

/// A place that has no segment: the one behind the last one, mostly.
fn free_place<'a>(
    segments: impl DoubleEndedIterator<Item = &'a Segment> + Clone,
    places: usize,
) -> Option<usize> {
    let last = segments
        .clone()
        .next_back()
        .map_or(0, |segment| segment.place);
    let free = |place: &usize| !segments.clone().any(|segment| segment.place == *place);
    (1..places).map(|step| (last + step) % places).find(free)
}

/// A number for a segment that nobody guesses who does not know the seed (splitmix64; Steele, Lea and Flood, OOPSLA 2014).
pub(crate) const fn nonce(seed: u64, sequence: u64) -> u64 {
    let state = seed.wrapping_add(sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl<D> fmt::Debug for Writer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("journal", &self.journal)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}
