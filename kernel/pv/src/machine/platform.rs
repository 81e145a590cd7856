//! The platform as `kernel/hal` wants it.

use core::cell::Cell;
use core::marker::PhantomData;

use morgana_abi::event_channel::NR_CHANNELS_2L;
use morgana_abi::start_info::{SIF_INITDOMAIN, SIF_PRIVILEGED, StartInfo};
use morgana_hal::{DomId, Mfn, Platform, Port, Usage};
use morgana_ring::{ByteLayout, RingStream, Side};

use super::clock::PvClock;
use super::console::{self, PvConsole};
use super::domains::{NotAllowed, PvDomains};
use super::events::{Origin, PvChannel, PvEvents, PvIdle};
use super::grants::{self, PvMemory};
use super::memory::{MapError, PvForeign};
use super::one_cpu::OneCpu;
use super::page::{self, RingPage};
use super::{entropy, events, heap};

static XENSTORE_TAKEN: OneCpu<Cell<bool>> = OneCpu::new(Cell::new(false));
static IDLE_TAKEN: OneCpu<Cell<bool>> = OneCpu::new(Cell::new(false));

/// The byte stream to xenstored.
pub type PvXenstore = RingStream<RingPage, PvChannel>;

/// A PV domain: all that it has of the world. Clones are the same domain.
#[derive(Clone, Copy)]
pub struct Pv {
    start_info: &'static StartInfo,
    events: PvEvents,
    memory: PvMemory,
}

impl Pv {
    /// `only_here` keeps the platform from leaving its thread, as in a program that has more than one.
    pub(super) fn new(start_info: &'static StartInfo, only_here: PhantomData<*const ()>) -> Self {
        Self {
            start_info,
            events: PvEvents { only_here },
            memory: PvMemory { only_here },
        }
    }

    /// The run loop's way to find events and to sleep: once, then `None`.
    pub fn idle(&self) -> Option<PvIdle> {
        (!IDLE_TAKEN.replace(true)).then(|| PvIdle::new(PhantomData))
    }

    /// The domain's command line (`extra=` and `root=` of its configuration), up to the first byte that is not UTF-8.
    pub fn command_line(&self) -> &'static str {
        let line = &self.start_info.cmd_line;
        let len = line
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(line.len());
        // SAFETY: `i8` and `u8` have the same size and alignment, and every byte is a valid `u8`; `len` is within the array.
        let bytes = unsafe { core::slice::from_raw_parts(line.as_ptr().cast::<u8>(), len) };
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
        }
    }

    /// Maps machine frames of another domain, or of the machine's I/O memory, one after the other, to read and write. Only for
    /// privileged domains; Xen refuses it to others.
    pub fn map_foreign(&self, owner: DomId, frames: &[Mfn]) -> Result<PvForeign, MapError> {
        PvForeign::new(owner, frames)
    }

    /// The way to ask how other domains are.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`] unless this domain is privileged, or built to be xenstored's.
    pub fn domains(&self) -> Result<PvDomains, NotAllowed> {
        PvDomains::find()
    }

    /// Pages that the domain was given, of 4 KiB each.
    pub fn pages(&self) -> u64 {
        self.start_info.nr_pages
    }

    /// The own domain id. `None` only while all event channel ports are in use.
    pub fn id(&self) -> Option<DomId> {
        events::own_id()
    }

    /// Whether this is the machine's first domain.
    pub fn is_dom0(&self) -> bool {
        self.start_info.flags & SIF_INITDOMAIN != 0
    }

    /// Whether Xen lets this domain work on others.
    pub fn is_privileged(&self) -> bool {
        self.start_info.flags & SIF_PRIVILEGED != 0
    }
}

impl Platform for Pv {
    type Events = PvEvents;
    type Memory = PvMemory;
    type Clock = PvClock;
    type Xenstore = PvXenstore;
    type Console = PvConsole;

    fn events(&self) -> &PvEvents {
        &self.events
    }

    fn memory(&self) -> &PvMemory {
        &self.memory
    }

    fn clock(&self) -> &PvClock {
        &PvClock
    }

    fn xenstore(&self) -> Option<PvXenstore> {
        let port = self.start_info.store_evtchn;
        if port == 0 || port >= NR_CHANNELS_2L || XENSTORE_TAKEN.get() {
            return None;
        }
        let address = page::address(Mfn::new(self.start_info.store_mfn))?;
        XENSTORE_TAKEN.set(true);
        // SAFETY: the toolstack has set the page aside for this, in the part that is mapped from the start, so it is never among
        // the free pages; this is the only value that leads there.
        let region = unsafe { page::region(address)? };
        RingStream::attach(
            RingPage::new(region),
            PvChannel::adopt(Port::new(port), Origin::Toolstack),
            ByteLayout::XENSTORE,
            Side::Guest,
        )
        .ok()
    }

    fn console(&self) -> Option<PvConsole> {
        console::stream(self.is_dom0())
    }

    fn entropy(&self, out: &mut [u8]) {
        entropy::fill(out);
    }

    fn usage(&self) -> Usage {
        // First, since this frees what peers have let go.
        let quarantined_pages = grants::quarantined_pages();
        let heap = heap::usage();
        let (grants_used, grants_total) = grants::usage();
        Usage {
            heap_used_bytes: heap.used_bytes,
            heap_total_bytes: heap.total_bytes,
            grants_used,
            grants_total,
            quarantined_pages,
            ports_used: events::used(),
            ports_total: NR_CHANNELS_2L as usize,
        }
    }
}
