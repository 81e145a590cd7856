//! Whose the heap is.
//!
//! A process has one heap, and domains of the emulation share it. A program that wants to know how much of it each domain has in use
//! makes [`HeapAccounts`] its global allocator. Every block then begins with the number of the account that it was taken on, which is that of
//! the domain whose turn it was, or whose thread it is; whoever frees it, it is taken off the same account.
//!
//! Invariant: a block that [`HeapAccounts`] has given out lies `header(layout)` bytes after the beginning of one that `System` has
//! given out, and the four bytes before it hold the number of an account, which is below [`ACCOUNTS`].

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::alloc::System;

/// How many accounts there are in a process: that of nobody, and one for each domain that exists at a time.
const ACCOUNTS: usize = 4096;

static BYTES: [AtomicUsize; ACCOUNTS] = [const { AtomicUsize::new(0) }; ACCOUNTS];
static TAKEN: [AtomicBool; ACCOUNTS] = [const { AtomicBool::new(false) }; ACCOUNTS];
/// Whether the program's allocator counts at all.
static COUNTING: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CURRENT: Cell<u32> = const { Cell::new(0) };
}

/// A global allocator that knows how much of the heap each emulated domain has in use, for
/// [`Usage::heap_used_bytes`](morgana_hal::Usage): the host's, and 16 bytes more a block.
///
/// ```
/// #[global_allocator]
/// static HEAP: morgana_emul::HeapAccounts = morgana_emul::HeapAccounts;
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapAccounts;

/// A domain's account, for as long as the domain exists. Number 0 is nobody's: all domains have it that come when there are no others.
#[derive(Debug)]
pub(crate) struct Account(u32);

impl Account {
    pub(crate) fn open() -> Self {
        // What a domain before has leaked would be counted on the next one's, so an account is used again only when it is empty.
        let free = (1..ACCOUNTS).find(|&number| {
            BYTES[number].load(Ordering::Relaxed) == 0
                && !TAKEN[number].swap(true, Ordering::Relaxed)
        });
        Self(free.unwrap_or(0) as u32)
    }

    /// Bytes in use on the account; `None` if nobody counts.
    pub(crate) fn bytes(&self) -> Option<usize> {
        let counts = COUNTING.load(Ordering::Relaxed) && self.0 != 0;
        counts.then(|| BYTES[self.0 as usize].load(Ordering::Relaxed))
    }

    /// What this thread takes from now on is on this account, until the value is dropped.
    pub(crate) fn charge(&self) -> Charged {
        Charged {
            before: CURRENT.replace(self.0),
        }
    }
}

/// As [`Account::charge`], on nobody's account.
pub(crate) fn charge_nobody() -> Charged {
    Account(0).charge()
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.0 != 0 {
            TAKEN[self.0 as usize].store(false, Ordering::Relaxed);
        }
    }
}

/// See [`Account::charge`].
#[derive(Debug)]
pub(crate) struct Charged {
    before: u32,
}

impl Drop for Charged {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// Bytes before a block: as many as keep its alignment, and at least enough for the number.
fn header(layout: Layout) -> usize {
    layout.align().max(16)
}

/// What `System` is asked for.
fn with_header(layout: Layout) -> Option<Layout> {
    let size = layout.size().checked_add(header(layout))?;
    Layout::from_size_align(size, layout.align().max(16)).ok()
}

impl HeapAccounts {
    /// # Safety
    ///
    /// `base` is null, or `System` has just given it out for `with_header(layout)`.
    unsafe fn give(base: *mut u8, layout: Layout) -> *mut u8 {
        if base.is_null() {
            return base;
        }
        // A thread that is ending has no current account any more.
        let account = CURRENT.try_with(Cell::get).unwrap_or(0);
        BYTES[account as usize].fetch_add(layout.size(), Ordering::Relaxed);
        COUNTING.store(true, Ordering::Relaxed);
        // SAFETY: the block is `header(layout)` bytes longer than `layout.size()`.
        let block = unsafe { base.add(header(layout)) };
        // SAFETY: the header is at least 16 bytes, of a block that is ours alone, and its end is a multiple of 16.
        unsafe { block.cast::<u32>().sub(1).write(account) };
        block
    }

    /// # Safety
    ///
    /// `block` was given out for a layout of this alignment, and is still in use.
    unsafe fn account(block: *mut u8) -> &'static AtomicUsize {
        // SAFETY: the module's invariant.
        let number = unsafe { block.cast::<u32>().sub(1).read() };
        &BYTES[number as usize % ACCOUNTS]
    }
}

// SAFETY: every block is one of `System`'s with a header in front of it that keeps the alignment (`with_header`), and is freed and resized
// with the layout that it was taken with.
unsafe impl GlobalAlloc for HeapAccounts {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(whole) = with_header(layout) else {
            return core::ptr::null_mut();
        };
        // SAFETY: `whole` is not of size zero.
        let base = unsafe { System.alloc(whole) };
        // SAFETY: given out just now.
        unsafe { Self::give(base, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(whole) = with_header(layout) else {
            return core::ptr::null_mut();
        };
        // SAFETY: `whole` is not of size zero.
        let base = unsafe { System.alloc_zeroed(whole) };
        // SAFETY: given out just now.
        unsafe { Self::give(base, layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(whole) = with_header(layout) else {
            return;
        };
        // SAFETY: the caller's promise that the block is in use and was given out for `layout`.
        let account = unsafe { Self::account(block) };
        account.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the module's invariant, and `layout` is what the block was given out for.
        unsafe { System.dealloc(block.sub(header(layout)), whole) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some(whole) = with_header(layout) else {
            return core::ptr::null_mut();
        };
        let new_layout = Layout::from_size_align(new_size, layout.align());
        let Some(new_whole) = new_layout.ok().and_then(with_header) else {
            return core::ptr::null_mut();
        };
        // SAFETY: the caller's promise that the block is in use and was given out for `layout`.
        let account = unsafe { Self::account(block) };
        // SAFETY: the module's invariant; `new_whole` is a valid layout of the same alignment, and not of size zero.
        let base = unsafe { System.realloc(block.sub(header(layout)), whole, new_whole.size()) };
        if base.is_null() {
            return base;
        }
        account.fetch_add(new_size, Ordering::Relaxed);
        account.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the header has moved with the rest, so the number is in its place; the block stays on its account.
        unsafe { base.add(header(layout)) }
    }
}
