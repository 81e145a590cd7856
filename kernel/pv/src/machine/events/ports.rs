//! The table of our ports.
//!
//! Invariant: a port that is in the table is bound in Xen and unmasked; all others are masked. Ports are numbered below 4,096.

extern crate alloc;

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::mem;
use core::sync::atomic::Ordering;
use core::task::{Context, Poll};

use morgana_abi::event_channel::{NR_CHANNELS_2L, VIRQ_TIMER};
use morgana_exec::Waiters;
use morgana_hal::Port;

use crate::machine::hypercall::{self, Errno};
use crate::machine::one_cpu::OneCpu;
use crate::machine::shared_info::{self, PENDING_SELECTOR, UPCALL_MASK, UPCALL_PENDING};

static PORTS: OneCpu<RefCell<Vec<Option<State>>>> = OneCpu::new(RefCell::new(Vec::new()));

/// The port of the timer's virtual interrupt.
static TIMER: OneCpu<Cell<Option<Port>>> = OneCpu::new(Cell::new(None));

#[derive(Default)]
struct State {
    arrivals: u64,
    waiters: Waiters,
}

/// Masks all ports, binds the timer's. To be called once, when `shared_info` is mapped and the heap works.
pub(in crate::machine) fn init() -> Result<(), Errno> {
    shared_info::byte(UPCALL_MASK).store(1, Ordering::Relaxed);
    for index in 0..64 {
        shared_info::mask(index).store(!0, Ordering::Relaxed);
    }
    // Not every Xen starts a guest without its tick.
    hypercall::stop_periodic_timer();
    let timer = hypercall::bind_virq(VIRQ_TIMER)?;
    open(timer);
    TIMER.set(Some(timer));
    Ok(())
}

/// Enters a bound port and unmasks it.
pub(super) fn open(port: Port) {
    let index = port.number() as usize;
    let mut ports = PORTS.borrow_mut();
    if ports.len() <= index && index < NR_CHANNELS_2L as usize {
        ports.resize_with(index + 1, || None);
    }
    if let Some(slot) = ports.get_mut(index) {
        *slot = Some(State::default());
        // Fails for a port that does not exist; this one does.
        let _ = hypercall::unmask(port);
    }
}

/// Masks a port and forgets it. It must be closed in Xen by the caller, right after.
pub(super) fn forget(port: Port) {
    let index = port.number() as usize;
    shared_info::mask(index / 64).fetch_or(1 << (index % 64), Ordering::SeqCst);
    // Dropped only after the table is free again: a waker may be a task's last owner, and the task own a channel.
    let state = PORTS.borrow_mut().get_mut(index).and_then(Option::take);
    drop(state);
}

/// Clears what is left of a closed port, so that its next owner does not inherit an event.
pub(super) fn clear_pending(port: Port) {
    let index = port.number() as usize;
    shared_info::pending(index / 64).fetch_and(!(1 << (index % 64)), Ordering::SeqCst);
}

/// Ports in use.
pub(in crate::machine) fn used() -> usize {
    PORTS.borrow().iter().flatten().count()
}

/// How often the timer has fired, as far as [`dispatch`] has seen.
pub(super) fn timer_count() -> u64 {
    TIMER.get().map_or(0, count)
}

/// Arrivals at a port.
pub(super) fn count(port: Port) -> u64 {
    PORTS
        .borrow()
        .get(port.number() as usize)
        .and_then(Option::as_ref)
        .map_or(0, |state| state.arrivals)
}

/// Ready once the arrivals differ from `seen`.
pub(super) fn poll_after(port: Port, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
    let mut ports = PORTS.borrow_mut();
    let Some(Some(state)) = ports.get_mut(port.number() as usize) else {
        return Poll::Pending;
    };
    if state.arrivals != seen {
        return Poll::Ready(state.arrivals);
    }
    state.waiters.register(cx.waker());
    Poll::Pending
}

/// Whether Xen has raised an event since the last [`dispatch`].
pub(super) fn anything_pending() -> bool {
    shared_info::byte(UPCALL_PENDING).load(Ordering::SeqCst) != 0
}

/// Steps the counter of every pending port and wakes who waits. Returns how many ports there were.
///
/// The order is what keeps events from getting lost: first the "upcall pending" byte is cleared, then the selector is taken,
/// then the bits. Xen sets them in the opposite order, so whatever is set after we looked sets the byte again.
pub(super) fn dispatch() -> usize {
    shared_info::byte(UPCALL_PENDING).swap(0, Ordering::SeqCst);
    let mut selector = shared_info::word(PENDING_SELECTOR).swap(0, Ordering::SeqCst);
    let mut found = 0;
    while selector != 0 {
        let index = selector.trailing_zeros() as usize;
        selector &= selector - 1;
        let mask = shared_info::mask(index).load(Ordering::SeqCst);
        // Bits that are masked stay: their owner is not there yet.
        let mut bits = shared_info::pending(index).fetch_and(mask, Ordering::SeqCst) & !mask;
        while bits != 0 {
            let port = index * 64 + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            found += 1;
            arrived(port);
        }
    }
    found
}

fn arrived(port: usize) {
    let waiters = PORTS.borrow_mut().get_mut(port).and_then(|state| {
        let state = state.as_mut()?;
        state.arrivals += 1;
        Some(mem::take(&mut state.waiters))
    });
    // Woken only after the table is free again, as in `forget`.
    if let Some(mut waiters) = waiters {
        waiters.wake_all();
    }
}
