//! A capture on a disk that is a whole pcapng file at all times.
//!
//! A file on a disk has no end: whatever is behind the last packet is a part of it, too. So the whole disk is one chain of blocks. It is divided into cells of
//! [`CELL`] bytes; a block never crosses from one into the next, and what a cell has no packets for is one block that readers pass over. A cell is written by
//! one request, which a back end does whole or not at all, whatever becomes of this domain. So at any time each cell is as it was before or as it is to be, and
//! the chain has no gap.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use morgana_net_device::{Direction, pcapng};

/// Bytes in a cell: what every back end takes in one request (11 pages), and a power of two.
pub(crate) const CELL: usize = 32 * 1024;
/// The longest piece of a frame that is kept: with its block and the capture's beginning it fits into a cell, and the rest is a block.
pub(crate) const SNAP_LEN: usize =
    CELL - pcapng::HEADER_BYTES - pcapng::PACKET_OVERHEAD - pcapng::SHORTEST_BLOCK;
/// Full cells that wait to be written; while there are so many, further packets are lost and counted.
pub(crate) const WAITING: usize = 8;

/// What is to be written where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Its number, from the disk's beginning.
    pub(crate) number: u64,
    /// All its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The cells of a capture.
#[derive(Debug)]
pub(crate) struct Cells {
    /// How many the disk has.
    count: u64,
    /// The one that is being filled; equal to `count` when the disk is full.
    current: u64,
    /// Its blocks so far.
    blocks: Vec<u8>,
    /// Whether it has any that have not been handed out.
    fresh: Fresh,
    /// Full ones.
    waiting: VecDeque<Cell>,
    /// Packets that were lost.
    lost: u64,
}

/// Whether there is something new in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fresh {
    Yes,
    No,
}

impl Cells {
    /// Those of a disk of `bytes` bytes; `None` if not even one fits.
    pub(crate) fn new(bytes: u64) -> Option<Self> {
        let count = bytes / CELL as u64;
        let mut blocks = Vec::with_capacity(CELL);
        pcapng::header(&mut blocks, SNAP_LEN as u32);
        (count > 0).then_some(Self {
            count,
            current: 0,
            blocks,
            fresh: Fresh::Yes,
            waiting: VecDeque::new(),
            lost: 0,
        })
    }

    /// How many cells there are.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// How many packets were lost because the disk was slow, or full.
    pub(crate) const fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether no further packet fits onto the disk.
    pub(crate) const fn is_full(&self) -> bool {
        self.current == self.count
    }

    /// Takes a packet.
    pub(crate) fn packet(&mut self, direction: Direction, now_ns: u64, frame: &[u8]) {
        let kept = &frame[..frame.len().min(SNAP_LEN)];
        let needed = pcapng::packet_len(kept.len());
        // Behind the last block is a filler, or nothing.
        let fits = |cell: &Vec<u8>| {
            let rest = CELL - cell.len();
            rest == needed || rest >= needed + pcapng::SHORTEST_BLOCK
        };
        if !self.is_full() && !fits(&self.blocks) {
            if self.waiting.len() == WAITING {
                self.lost += 1;
                return;
            }
            let bytes = filled(core::mem::replace(
                &mut self.blocks,
                Vec::with_capacity(CELL),
            ));
            let number = self.current;
            self.waiting.push_back(Cell { number, bytes });
            self.current += 1;
            self.fresh = Fresh::No;
        }
        if self.is_full() {
            self.lost += 1;
            return;
        }
        pcapng::packet(&mut self.blocks, direction, now_ns, kept, frame.len());
        self.fresh = Fresh::Yes;
    }

    /// The next cell to be written: a full one, or the one that is being filled if something is new in it.
    pub(crate) fn next(&mut self) -> Option<Cell> {
        if let Some(cell) = self.waiting.pop_front() {
            return Some(cell);
        }
        if self.is_full() || core::mem::replace(&mut self.fresh, Fresh::No) == Fresh::No {
            return None;
        }
        let number = self.current;
        let bytes = filled(self.blocks.clone());
        Some(Cell { number, bytes })
    }

    /// Whether there is a full cell to be written.
    pub(crate) fn has_full(&self) -> bool {
        !self.waiting.is_empty()
    }
}

/// A cell without packets.
pub(crate) fn empty() -> Vec<u8> {
    filled(Vec::with_capacity(CELL))
}

/// What stands behind the last cell of a disk of `bytes` bytes, if there is room for anything: less than a cell.
pub(crate) fn remainder(bytes: u64) -> Vec<u8> {
    let mut rest = alloc::vec![0; (bytes % CELL as u64) as usize];
    pcapng::filler(&mut rest);
    rest
}

/// Makes a cell of blocks, with a filler behind them.
fn filled(mut blocks: Vec<u8>) -> Vec<u8> {
    let end = blocks.len();
    blocks.resize(CELL, 0);
    pcapng::filler(&mut blocks[end..]);
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// How many packet blocks there are in a chain that must reach to its end.
    fn packets(mut bytes: &[u8]) -> usize {
        let mut found = 0;
        while !bytes.is_empty() {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            let len = word(4) as usize;
            assert!(len >= pcapng::SHORTEST_BLOCK && word(len - 4) as usize == len);
            found += usize::from(word(0) == 6);
            bytes = &bytes[len..];
        }
        found
    }

    /// A disk as it is formatted.
    fn disk(cells: usize) -> Vec<u8> {
        let mut disk = empty().repeat(cells);
        disk.extend(remainder(512));
        disk
    }

    fn write(disk: &mut [u8], cell: &Cell) {
        let at = cell.number as usize * CELL;
        disk[at..at + CELL].copy_from_slice(&cell.bytes);
    }

    /// Frames of all lengths, whose blocks end anywhere.
    fn frames() -> impl Iterator<Item = Vec<u8>> {
        (0..).map(|number: usize| vec![number as u8; number * 7919 % (SNAP_LEN + 1000)])
    }

    #[test]
    fn after_each_write_the_disk_is_a_capture() {
        const COUNT: usize = 12;
        let mut disk = disk(COUNT);
        let mut cells = Cells::new((COUNT * CELL) as u64 + 512).unwrap();
        let mut taken = 0;
        for frame in frames() {
            cells.packet(Direction::Sent, 7, &frame);
            if cells.is_full() {
                break;
            }
            taken += 1;
            while let Some(cell) = cells.next() {
                write(&mut disk, &cell);
                assert!(packets(&disk) <= taken);
            }
            assert_eq!(packets(&disk), taken);
        }
        while let Some(cell) = cells.next() {
            write(&mut disk, &cell);
        }
        assert_eq!(packets(&disk), taken);
        assert_eq!(cells.lost(), 1);
        assert!(taken >= COUNT);
    }

    #[test]
    fn a_slow_disk_loses_packets_and_nothing_else() {
        let mut cells = Cells::new(1 << 30).unwrap();
        let mut sent = 0;
        while cells.lost() < 10 {
            cells.packet(Direction::Received, 0, &[1; 1514]);
            sent += 1;
        }
        let mut disk = disk(WAITING + 1);
        let mut written = 0;
        while let Some(cell) = cells.next() {
            write(&mut disk, &cell);
            written += 1;
        }
        assert_eq!(written, WAITING + 1);
        assert_eq!(packets(&disk), sent - 10);
        // There is room again.
        cells.packet(Direction::Received, 0, &[1; 1514]);
        assert_eq!(cells.lost(), 10);
    }

    #[test]
    fn small_disks_and_large_frames() {
        assert!(Cells::new(CELL as u64 - 1).is_none());
        let mut cells = Cells::new(CELL as u64).unwrap();
        let capture = cells.next().unwrap();
        assert_eq!(packets(&capture.bytes), 0);
        cells.packet(Direction::Sent, 0, &vec![1; 65_535]);
        assert_eq!(packets(&cells.next().unwrap().bytes), 1);
        assert_eq!(cells.next(), None);
    }
}
