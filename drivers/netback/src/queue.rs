//! Frames in one piece of memory, first in, first out: a circle of bytes in which every frame lies in one piece.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// A bounded queue of frames, with something to remember beside each.
pub(crate) struct FrameQueue<T> {
    memory: Vec<u8>,
    /// Where each frame is, the oldest first.
    frames: VecDeque<(Range<usize>, T)>,
    limit: usize,
}

impl<T> FrameQueue<T> {
    pub(crate) fn new(bytes: usize, limit: usize) -> Self {
        let limit = limit.max(1);
        Self {
            memory: vec![0; bytes],
            frames: VecDeque::with_capacity(limit),
            limit,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether there is room for one more frame of `len` bytes.
    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.place(len).is_some()
    }

    /// Where a frame of `len` bytes would lie.
    fn place(&self, len: usize) -> Option<usize> {
        if self.frames.len() >= self.limit {
            return None;
        }
        let (Some((oldest, _)), Some((newest, _))) = (self.frames.front(), self.frames.back())
        else {
            return (len <= self.memory.len()).then_some(0);
        };
        let (start, end) = (oldest.start, newest.end);
        if newest.start < start {
            // The circle has been closed: what is free lies between the newest and the oldest.
            return (len <= start - end).then_some(end);
        }
        if len <= self.memory.len() - end {
            return Some(end);
        }
        (len <= start).then_some(0)
    }

    /// Adds a frame of `len` bytes, which `fill` writes; if `fill` answers `None` the frame is dropped. False if there is no room.
    pub(crate) fn push(&mut self, len: usize, fill: impl FnOnce(&mut [u8]) -> Option<T>) -> bool {
        let Some(start) = self.place(len) else {
            return false;
        };
        let range = start..start + len;
        if let Some(value) = fill(&mut self.memory[range.clone()]) {
            self.frames.push_back((range, value));
        }
        true
    }

    /// The oldest frame: where it is, and what was remembered.
    pub(crate) fn front(&self) -> Option<&(Range<usize>, T)> {
        self.frames.front()
    }

    /// Takes the oldest frame out. Its bytes stay where they are until the next `push`.
    pub(crate) fn pop(&mut self) -> Option<(Range<usize>, T)> {
        self.frames.pop_front()
    }

    pub(crate) fn clear(&mut self) {
        self.frames.clear();
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.memory[range]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(
            bytes in 100..1000usize,
            limit in 1..20usize,
            steps in prop::collection::vec((14..300usize, 0..4u8), 0..300),
        ) {
            let mut queue = FrameQueue::new(bytes, limit);
            let mut model: VecDeque<(usize, u8)> = VecDeque::new();
            let mut number = 0u8;
            for (len, kind) in steps {
                if kind == 0 {
                    let popped = queue.pop();
                    prop_assert_eq!(popped.is_some(), !model.is_empty());
                    if let (Some((range, number)), Some(expected)) = (popped, model.pop_front()) {
                        prop_assert_eq!((range.len(), number), expected);
                        prop_assert!(queue.bytes(range).iter().all(|byte| *byte == number));
                    }
                } else {
                    let room = queue.has_room(len);
                    let pushed = queue.push(len, |into| {
                        into.fill(number);
                        Some(number)
                    });
                    prop_assert_eq!(room, pushed);
                    if pushed {
                        model.push_back((len, number));
                        number = number.wrapping_add(1);
                    }
                    // An empty queue takes whatever fits at all.
                    prop_assert!(pushed || !model.is_empty() || len > bytes);
                }
                prop_assert!(queue.len() <= limit && queue.len() == model.len());
            }
        }
    }
}
