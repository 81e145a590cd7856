//! What has been read from a client and not yet used.

use super::pool::{Block, Pool, SMALL};
use crate::wire::HeadSpan;

/// The bytes between the stream and the parser. It holds a block only while it holds bytes.
#[derive(Debug)]
pub(super) struct Input<'p> {
    pool: &'p Pool,
    block: Option<Block<'p>>,
    /// The unread bytes are `start..end` of the block. Both are 0 without one.
    start: usize,
    end: usize,
}

impl<'p> Input<'p> {
    pub(super) const fn new(pool: &'p Pool) -> Self {
        Self {
            pool,
            block: None,
            start: 0,
            end: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.block
            .as_ref()
            .map_or(&[], |block| &block[self.start..self.end])
    }

    /// Room to read into: in a new block, after what is there, or in a larger block. It is never empty. `None` when no
    /// block is to be had.
    pub(super) fn room(&mut self) -> Option<&mut [u8]> {
        let unread = self.end - self.start;
        let block = match self.block.take() {
            None => self.pool.small()?,
            // Back from a large block to a small one when what is left does not need it.
            Some(block) if block.is_large() && unread <= SMALL / 2 => {
                self.copy(&block, self.pool.small()?)
            }
            Some(block) if self.end < block.len() => block,
            Some(mut block) if self.start > 0 => {
                block.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, unread);
                block
            }
            // A large block has room for more than the limit, at which the scanner stops reading.
            Some(block) if block.is_large() => return None,
            Some(block) => self.copy(&block, self.pool.large()?),
        };
        self.block.insert(block).get_mut(self.end..)
    }

    /// Moves the unread bytes to the front of `to`.
    fn copy(&mut self, from: &Block<'p>, mut to: Block<'p>) -> Block<'p> {
        let unread = self.end - self.start;
        to[..unread].copy_from_slice(&from[self.start..self.end]);
        (self.start, self.end) = (0, unread);
        to
    }

    /// Counts `count` bytes in that were read into the [`room`](Self::room).
    pub(super) fn fill(&mut self, count: usize) {
        let length = self.block.as_ref().map_or(0, |block| block.len());
        self.end = self.end.saturating_add(count).min(length);
    }

    /// The head that lies in `span` of the unread bytes, and what follows it.
    pub(super) fn split(&mut self, span: HeadSpan) -> (&mut [u8], &mut [u8]) {
        let Some(block) = &mut self.block else {
            return (&mut [], &mut []);
        };
        let (before, rest) = block[self.start..self.end].split_at_mut(span.end);
        (&mut before[span.start..], rest)
    }

    /// Drops `count` bytes from the front, and the block with the last of them.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.is_empty() {
            self.clear();
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        (self.block, self.start, self.end) = (None, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Limits;

    fn push(input: &mut Input<'_>, bytes: &[u8]) -> Option<()> {
        for &byte in bytes {
            input.room()?[0] = byte;
            input.fill(1);
        }
        Some(())
    }

    #[test]
    fn blocks_grow_move_and_go_back() {
        let pool = Pool::new(&Limits {
            head: 2000,
            large_heads: 1,
            ..Limits::DEFAULT
        });
        let bytes: std::vec::Vec<u8> = (0..2001u32).map(|number| number as u8).collect();
        let mut input = Input::new(&pool);
        assert!(input.is_empty() && input.unread().is_empty());
        assert_eq!(push(&mut input, &bytes), Some(()));
        assert_eq!(input.unread(), bytes);

        let mut other = Input::new(&pool);
        assert_eq!(push(&mut other, &bytes[..SMALL]), Some(()));
        assert!(other.room().is_none(), "the only large block is out");

        input.consume(1900);
        assert_eq!(input.room().map(|room| room.len()), Some(SMALL - 101));
        assert_eq!(input.unread(), &bytes[1900..]);
        input.consume(101);
        assert!(input.is_empty() && input.block.is_none());
        assert!(pool.large().is_some());
    }

    #[test]
    fn a_full_large_block_has_no_more_room() {
        let pool = Pool::new(&Limits {
            head: 2000,
            ..Limits::DEFAULT
        });
        let mut input = Input::new(&pool);
        assert_eq!(push(&mut input, &[1; 2001]), Some(()));
        assert!(input.room().is_none());
    }

    #[test]
    fn a_full_small_block_is_compacted_before_it_grows() {
        let pool = Pool::new(&Limits {
            large_heads: 0,
            ..Limits::DEFAULT
        });
        let mut input = Input::new(&pool);
        assert_eq!(push(&mut input, &[1; SMALL]), Some(()));
        input.consume(SMALL - 2);
        assert_eq!(input.room().map(|room| room.len()), Some(SMALL - 2));
        assert_eq!(input.unread(), [1, 1]);
    }
}
