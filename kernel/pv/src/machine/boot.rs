//! From the first Rust instruction to the application's main function.

use core::marker::PhantomData;

use morgana_abi::event_channel::NR_CHANNELS_2L;
use morgana_abi::start_info::{SIF_INITDOMAIN, StartInfo};
use morgana_hal::{Exit, Mfn, Port};

use super::memory::{self, MapError};
use super::platform::Pv;
use super::{console, events, page, shared_info, shutdown, trap};

unsafe extern "Rust" {
    fn __morgana_main(pv: Pv) -> Exit;
}

/// Called once by `_start`.
///
/// # Safety
///
/// `start_info` is what Xen passed in rsi.
pub(super) unsafe extern "C" fn boot(start_info: *const StartInfo) -> ! {
    // SAFETY: the domain builder has mapped and filled in start_info ("start of day", xen.h). Its page is not among the free ones,
    // and nobody writes it any more: it is a constant of this domain's life.
    let start_info: &'static StartInfo = unsafe { &*start_info };
    // SAFETY: this is what Xen passed; this crate never writes to the list.
    unsafe { memory::init_p2m(start_info) };
    attach_console(start_info);
    if let Err(error) = prepare(start_info) {
        let pages = start_info.nr_pages;
        match error {
            BootError::Memory(MapError::OutOfFrames | MapError::OutOfAddressSpace) => {
                crate::println!("fatal: too little memory to boot: {pages} pages of 4 KiB");
            }
            error => crate::println!("fatal: boot failed: {error:?} ({pages} pages of 4 KiB)"),
        }
        shutdown::shutdown(Exit::Crash);
    }
    let pv = Pv::new(start_info, PhantomData);
    // SAFETY: `boot!` defines this function with this signature, once, or the link fails.
    let exit = unsafe { __morgana_main(pv) };
    console::take_back();
    shutdown::shutdown(exit)
}

#[derive(Debug)]
#[expect(dead_code, reason = "the fields are for the message that Debug makes")]
enum BootError {
    Memory(MapError),
    Hypercall(super::hypercall::Errno),
}

fn prepare(start_info: &StartInfo) -> Result<(), BootError> {
    // SAFETY: first and only call, with Xen's data; so far only the image's own memory is in use.
    unsafe { memory::init(start_info) }.map_err(BootError::Memory)?;
    trap::init().map_err(BootError::Hypercall)?;
    shared_info::attach(start_info.shared_info).map_err(BootError::Memory)?;
    events::init().map_err(BootError::Hypercall)
}

/// A domain that is not the first has a ring to the console daemon.
fn attach_console(start_info: &StartInfo) {
    if start_info.flags & SIF_INITDOMAIN != 0 {
        return;
    }
    // SAFETY: both forms are plain numbers, and outside of the first domain this is the one that is filled in.
    let ring = unsafe { start_info.console.domU };
    if ring.evtchn == 0 || ring.evtchn >= NR_CHANNELS_2L {
        return;
    }
    if let Some(address) = page::address(Mfn::new(ring.mfn)) {
        // SAFETY: the toolstack has set the page aside for this, in the part that is mapped from the start (it comes before the
        // page tables), so it is never among the free pages.
        unsafe { console::attach(address, Port::new(ring.evtchn)) };
    }
}
