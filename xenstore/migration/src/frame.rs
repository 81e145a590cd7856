//! A frame of a journal: what has changed in one go, or a whole state.

use alloc::vec;
use alloc::vec::Vec;

use crate::{Record, TooLong};

/// The head of a frame: the length of what follows, its kind, and a checksum of all that, 16 bytes together.
pub(crate) const FRAME_HEAD: usize = 16;

/// What is in a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Nothing: there are no more frames.
    End = 0,
    /// A stream of the migration format.
    State = 1,
    /// Records of what has changed since.
    Changes = 2,
}

/// Changes that are to be kept together: all of them, or none.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Room for the head, then the records.
    bytes: Vec<u8>,
}

impl Default for Frame {
    fn default() -> Self {
        Self::new()
    }
}

impl Frame {
    /// Nothing has changed.
    pub fn new() -> Self {
        Self {
            bytes: vec![0; FRAME_HEAD],
        }
    }

    /// A frame of records that were written elsewhere, whatever they are.
    pub fn of_records(records: &[u8]) -> Self {
        Self {
            bytes: [&[0; FRAME_HEAD], records].concat(),
        }
    }

    /// Appends a record.
    ///
    /// # Errors
    ///
    /// [`TooLong`]; the frame is as before then.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), TooLong> {
        record.append(&mut self.bytes)
    }

    /// Whether there is nothing to be kept.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == FRAME_HEAD
    }

    /// How long it is, for [`take_back`](Self::take_back).
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets what was appended since it was so long.
    pub fn take_back(&mut self, len: usize) {
        self.bytes.truncate(len.max(FRAME_HEAD));
    }

    /// Forgets all. The memory stays, unless it is much.
    pub fn clear(&mut self) {
        const MUCH: usize = 64 << 10;
        self.bytes.truncate(FRAME_HEAD);
        self.bytes.shrink_to(MUCH);
    }

    /// The whole frame, as it goes behind others.
    pub fn sealed(&mut self) -> &[u8] {
        let (head, body) = self.bytes.split_at_mut(FRAME_HEAD);
        head.copy_from_slice(&frame_head(Kind::Changes, body));
        &self.bytes
    }
}

/// What comes before a frame's body. Of one that is too long for it (4 GiB) nothing can be read again.
pub(crate) fn frame_head(kind: Kind, body: &[u8]) -> [u8; FRAME_HEAD] {
    let len = u32::try_from(body.len()).unwrap_or(0);
    let word = u64::from(len) << 32 | kind as u64;
    let mut head = [0; FRAME_HEAD];
    head[..8].copy_from_slice(&word.to_le_bytes());
    head[8..].copy_from_slice(&checksum(word, body).to_le_bytes());
    head
}

/// The first frame of `bytes`: its kind, its body, and what comes behind. `None` if it is not whole, or not as it was written.
pub(crate) fn split_frame(bytes: &[u8]) -> Option<(Kind, &[u8], &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let word = u64::from_le_bytes(*word);
    let kind = match word as u32 {
        0 if word == 0 => Kind::End,
        1 => Kind::State,
        2 => Kind::Changes,
        _ => return None,
    };
    let (body, rest) = rest.split_at_checked(usize::try_from(word >> 32).ok()?)?;
    (u64::from_le_bytes(*sum) == checksum(word, body) || kind == Kind::End)
        .then_some((kind, body, rest))
}

/// A checksum against accidents, eight bytes a step, as a journal is written all the time. Each step is one to one in what came before and in the
/// eight bytes, so whatever is wrong in one group of eight is found; of anything else one in 2^64 is not.
pub(crate) fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    /// 2^64 divided by the golden ratio: an odd number whose bits are as good as random.
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let step = |sum: u64, word: u64| {
        let product = (sum ^ word).wrapping_mul(MULTIPLIER);
        product ^ product >> 29
    };
    let (words, tail) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(step(MULTIPLIER, seed), |sum, word| {
        step(sum, u64::from_le_bytes(*word))
    });
    let mut last = [0; 8];
    last[..tail.len()].copy_from_slice(tail);
    step(sum, u64::from_le_bytes(last))
}
