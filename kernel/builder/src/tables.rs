//! The first page tables (Intel SDM vol. 3, 4.5): they map pseudo-physical page 0 on, in a row.

use morgana_abi::mmu::{PTE_ACCESSED, PTE_DIRTY, PTE_PRESENT, PTE_USER, PTE_WRITE, TABLE_ENTRIES};
use morgana_hal::{Mfn, PAGE_SIZE, Pfn};

use crate::contents::Sink;
use crate::layout::Layout;

/// Addresses that are mapped, both ends included: the end may be that of the address space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// The levels, from the root down: log2 of the bytes that one entry stands for.
const LEVELS: [u32; 4] = [39, 30, 21, 12];
/// log2 of [`TABLE_ENTRIES`].
const BITS: u32 = 9;

/// Xen lets the guest's kernel in at all levels, and adds what it needs of the last one itself.
const TABLE: u64 = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY;
const DATA: u64 = PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
/// A page table may be mapped to be read only.
const READ_ONLY: u64 = PTE_PRESENT | PTE_ACCESSED;

/// How many tables of the level whose entries stand for `1 << shift` bytes.
fn count_at(span: Span, shift: u32) -> u64 {
    let number = |address: u64| address.checked_shr(shift + BITS).unwrap_or(0);
    number(span.last) - number(span.first) + 1
}

/// How many tables of all levels.
pub(crate) fn count(span: Span) -> u64 {
    LEVELS.iter().map(|&shift| count_at(span, shift)).sum()
}

/// Writes the tables: the root, then level by level.
pub(crate) fn write(layout: &Layout, frame: impl Fn(Pfn) -> Mfn, sink: &mut impl Sink) {
    let mut first = layout.tables.start;
    for (level, &shift) in LEVELS.iter().enumerate() {
        let tables = count_at(layout.span, shift);
        // What the entries of this level name: the tables of the next one, or the domain's pages.
        let (target, is_last) = match level + 1 == LEVELS.len() {
            true => (0, true),
            false => (first + tables, false),
        };
        let start = layout.span.first >> shift;
        let end = layout.span.last >> shift;
        for table in 0..tables {
            let lowest = ((start >> BITS) + table) << BITS;
            let mut page = [0; PAGE_SIZE];
            let (words, _) = page.as_chunks_mut::<8>();
            for (index, word) in (0..TABLE_ENTRIES as u64).zip(words) {
                let entry = lowest + index;
                if (start..=end).contains(&entry) {
                    let named = Pfn::new(target + entry - start);
                    let flags = match is_last {
                        false => TABLE,
                        true if layout.tables.contains(&named.number()) => READ_ONLY,
                        true => DATA,
                    };
                    *word = (frame(named).number() << 12 | flags).to_le_bytes();
                }
            }
            sink.write((first + table) * PAGE_SIZE as u64, &page);
        }
        first += tables;
    }
}
