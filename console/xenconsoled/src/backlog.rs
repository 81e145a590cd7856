//! What waits to be shown at a terminal, in bounds.

use alloc::collections::VecDeque;

use crate::Overflow;

/// The most that is kept where the toolstack says nothing (`console/limit`), in bytes.
pub(crate) const DEFAULT_LIMIT: usize = 1 << 20;

/// Output that was not shown yet.
#[derive(Debug)]
pub(crate) struct Backlog {
    bytes: VecDeque<u8>,
    limit: usize,
    overflow: Overflow,
}

impl Backlog {
    pub(crate) fn new(limit: usize, overflow: Overflow) -> Self {
        Self {
            bytes: VecDeque::new(),
            limit,
            overflow,
        }
    }

    /// Whether `len` bytes more may come without any being dropped. (Where nothing is dropped they may be more than the limit.)
    pub(crate) fn has_room(&self, len: usize) -> bool {
        let least = match self.overflow {
            Overflow::Keep => 1,
            Overflow::Discard => len,
        };
        self.bytes.is_empty() || self.bytes.len() + least <= self.limit
    }

    /// Whether what comes all the same takes the place of something.
    pub(crate) fn discards(&self) -> bool {
        self.overflow == Overflow::Discard
    }

    /// Adds bytes. Beyond the limit, what is in the middle goes: the beginning often says why, and the end what happens now. Says how
    /// many bytes went.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> usize {
        self.bytes.extend(bytes);
        let surplus = self.bytes.len().saturating_sub(self.limit);
        // A quarter at a time, since all that is behind it moves.
        if self.overflow == Overflow::Keep || surplus <= self.limit / 4 {
            return 0;
        }
        let first = self.limit / 2;
        self.bytes.drain(first..first + surplus);
        surplus
    }

    /// The next bytes, copied. 0 if there are none.
    pub(crate) fn peek(&self, into: &mut [u8]) -> usize {
        let (front, back) = self.bytes.as_slices();
        let len = front.len().min(into.len());
        into[..len].copy_from_slice(&front[..len]);
        let more = back.len().min(into.len() - len);
        into[len..len + more].copy_from_slice(&back[..more]);
        len + more
    }

    /// So many bytes were shown.
    pub(crate) fn shown(&mut self, len: usize) {
        self.bytes.drain(..len.min(self.bytes.len()));
        if self.bytes.is_empty() {
            // A guest that was loud once does not keep the memory for it.
            self.bytes.shrink_to(4096);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn beginning_and_end_stay() {
        let mut backlog = Backlog::new(100, Overflow::Discard);
        let mut dropped = 0;
        for number in 0..1000u32 {
            dropped += backlog.add(&[(number / 4) as u8]);
            assert!(backlog.bytes.len() <= 125);
        }
        let mut shown = vec![0; 200];
        let len = backlog.peek(&mut shown);
        assert_eq!(shown[..4], [0, 0, 0, 0]);
        assert_eq!(shown[49], 12);
        assert_eq!(shown[len - 1], 249);
        assert_eq!(dropped + len, 1000);
    }

    #[test]
    fn what_is_to_be_kept_is_kept() {
        let mut backlog = Backlog::new(10, Overflow::Keep);
        let mut added = 0;
        while backlog.has_room(3) {
            assert_eq!(backlog.add(b"abc"), 0);
            added += 3;
        }
        assert_eq!(added, 12);
        let mut shown = [0; 5];
        assert_eq!(backlog.peek(&mut shown), 5);
        assert_eq!(&shown, b"abcab");
        backlog.shown(5);
        assert!(backlog.has_room(3));
        assert_eq!(backlog.peek(&mut shown), 5);
        assert_eq!(&shown, b"cabca");
    }

    #[test]
    fn a_limit_of_nothing_keeps_nothing() {
        let mut backlog = Backlog::new(0, Overflow::Discard);
        assert_eq!(backlog.add(b"abc"), 3);
        assert_eq!(backlog.peek(&mut [0; 4]), 0);
        assert!(backlog.has_room(3));
    }

    #[test]
    fn there_is_room_as_long_as_nothing_would_be_dropped() {
        let mut backlog = Backlog::new(10, Overflow::Discard);
        while backlog.has_room(3) {
            assert_eq!(backlog.add(b"abc"), 0);
        }
        let mut shown = [0; 12];
        assert_eq!(backlog.peek(&mut shown), 9);
    }
}
