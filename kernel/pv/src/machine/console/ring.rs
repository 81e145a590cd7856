//! Writing to the console's ring at once, with no task: for boot, panics and tests.
//!
//! The byte stream that an application uses is `kernel/ring`'s, over the same page. It keeps its index in private, so only one of the
//! two may write at a time: once the stream exists nothing is written here but the last words of a domain that ends.

use core::cell::Cell;
use core::mem::offset_of;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use morgana_abi::PAGE_SIZE;
use morgana_abi::console::Interface;
use morgana_hal::{Clock, Port, SharedRegion};

use crate::machine::clock::PvClock;
use crate::machine::hypercall;
use crate::machine::one_cpu::OneCpu;

/// Bytes of the ring to the console daemon.
const SIZE: u32 = size_of::<[u8; 2048]>() as u32;

/// How long to wait for a daemon that does not read, once. A domain may be over before a busy daemon has heard of it.
const PATIENCE_NS: u64 = 5_000_000_000;

/// How often to look instead, before there is a clock.
const LOOKS_WITHOUT_CLOCK: u32 = 10_000;

#[derive(Clone, Copy)]
struct Ring {
    page: NonNull<u8>,
    port: Port,
    /// The daemon did not read for a second: do not wait again.
    stuck: bool,
    /// A stream writes to the ring now, and keeps its index to itself.
    streaming: bool,
}

static RING: OneCpu<Cell<Option<Ring>>> = OneCpu::new(Cell::new(None));

/// Text goes to the ring in the page at `address` from now on.
///
/// # Safety
///
/// The console's page is mapped there for reading and writing for ever, and reached by copy only.
pub(in crate::machine) unsafe fn attach(address: usize, port: Port) {
    RING.set(
        NonNull::new(with_exposed_provenance_mut::<u8>(address)).map(|page| Ring {
            page,
            port,
            stuck: false,
            streaming: false,
        }),
    );
}

fn region(ring: Ring) -> SharedRegion {
    // SAFETY: whoever attached the ring promised that the page stays mapped and is reached by copy only; a page is aligned.
    unsafe { SharedRegion::from_raw(ring.page, PAGE_SIZE) }
}

/// The ring's page and port, for a byte stream: once. From then on the ring is the stream's, but for last words.
pub(super) fn hand_over() -> Option<(SharedRegion, Port)> {
    let ring = RING.get().filter(|ring| !ring.streaming)?;
    RING.set(Some(Ring {
        streaming: true,
        ..ring
    }));
    Some((region(ring), ring.port))
}

/// The domain is about to end and no stream will write again: the ring takes text again.
pub(in crate::machine) fn take_back() {
    if let Some(ring) = RING.get() {
        RING.set(Some(Ring {
            streaming: false,
            ..ring
        }));
    }
}

/// Writes all of `bytes`, if there is a ring that is free for it and whose daemon reads.
pub(super) fn write(bytes: &[u8]) -> bool {
    let Some(ring) = RING.get().filter(|ring| !ring.streaming) else {
        return false;
    };
    let page = region(ring);
    let mut rest = bytes;
    while !rest.is_empty() {
        let produced = page.load_u32(offset_of!(Interface, out_prod));
        let Some(room) = room(&page, produced) else {
            return false;
        };
        let start = produced % SIZE;
        let count = rest.len().min(room as usize).min((SIZE - start) as usize);
        if count == 0 {
            if !wait_for_room(ring) {
                return false;
            }
            continue;
        }
        let (now, later) = rest.split_at(count);
        page.write(offset_of!(Interface, output) + start as usize, now);
        page.store_u32(
            offset_of!(Interface, out_prod),
            produced.wrapping_add(count as u32),
        );
        rest = later;
    }
    // A daemon that is gone is no reason to stop.
    let _ = hypercall::send(ring.port);
    true
}

/// Gives the daemon a chance to read what is left before the domain ends.
pub(in crate::machine) fn drain() {
    let Some(ring) = RING.get() else {
        return;
    };
    wait(ring, |page, produced| {
        page.load_u32(offset_of!(Interface, out_cons)) == produced
    });
}

/// Free bytes; `None` if the daemon wrote an impossible index.
fn room(page: &SharedRegion, produced: u32) -> Option<u32> {
    let used = produced.wrapping_sub(page.load_u32(offset_of!(Interface, out_cons)));
    SIZE.checked_sub(used)
}

fn wait_for_room(ring: Ring) -> bool {
    wait(ring, |page, produced| {
        room(page, produced).is_none_or(|room| room > 0)
    })
}

fn wait(ring: Ring, done: impl Fn(&SharedRegion, u32) -> bool) -> bool {
    if ring.stuck {
        return false;
    }
    let page = region(ring);
    let produced = page.load_u32(offset_of!(Interface, out_prod));
    let _ = hypercall::send(ring.port);
    let start = PvClock.now().as_nanos();
    let mut looks = 0_u32;
    while !done(&page, produced) {
        looks += 1;
        let now = PvClock.now().as_nanos();
        // Very early there is no clock yet.
        if now.saturating_sub(start) > PATIENCE_NS || (now == 0 && looks > LOOKS_WITHOUT_CLOCK) {
            RING.set(Some(Ring {
                stuck: true,
                ..ring
            }));
            return false;
        }
        hypercall::yield_now();
    }
    true
}
