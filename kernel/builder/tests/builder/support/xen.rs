//! A machine whose frames are scattered, and that notes what is done to its domains.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use morgana_hal::{
    Activity, DomId, DomainInfo, GrantRef, LocalPages, Mfn, NewDomain, PAGE_SIZE, Pages, Port,
    Start, Toolstack, ToolstackError,
};

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Create,
    Populate,
    Map,
    HypercallPage(Mfn),
    Pin(Mfn),
    StartAt(Start),
    Listen(DomId),
    Grant(GrantRef, DomId, Mfn),
    Unpause,
    Destroy,
}

/// The one domain's number.
pub(crate) const DOMAIN: DomId = DomId::new(7);
/// The frame that it shares with Xen.
pub(crate) const SHARED_INFO: Mfn = Mfn::new(0x99);

#[derive(Default)]
pub(crate) struct Xen {
    pub(crate) calls: RefCell<Vec<Call>>,
    frames: RefCell<Vec<Mfn>>,
    /// What is in frames, as far as it was mapped; bytes that nobody has written are 0xc2, as a debugging Xen leaves them.
    mapped: RefCell<Vec<(Vec<Mfn>, LocalPages)>>,
    /// Calls that still succeed; the one after them fails.
    pub(crate) left: Cell<Option<u32>>,
    ports: Cell<u32>,
    handle: Cell<[u8; 16]>,
    /// Whether there is a domain 0 besides.
    pub(crate) has_dom0: Cell<bool>,
    /// Whether the domain has shut down, if it has run.
    pub(crate) has_shut_down: Cell<bool>,
}

impl Xen {
    fn call(&self, call: Call) -> Result<(), ToolstackError> {
        match self.left.get() {
            // What ends a domain does not fail.
            _ if call == Call::Destroy => {}
            Some(0) => return Err(ToolstackError::Refused(-1)),
            Some(left) => self.left.set(Some(left - 1)),
            None => {}
        }
        self.calls.borrow_mut().push(call);
        Ok(())
    }

    /// What the domain does, if it is there.
    fn activity(&self) -> Option<Activity> {
        let calls = self.calls.borrow();
        let last = calls.iter().rev().find_map(|call| match call {
            Call::Create => Some(Some(Activity::Paused)),
            Call::Unpause if self.has_shut_down.get() => Some(Some(Activity::ShutDown(3))),
            Call::Unpause => Some(Some(Activity::Blocked)),
            Call::Destroy => Some(None),
            _ => None,
        });
        last.flatten()
    }

    /// The domain's frames.
    pub(crate) fn frames(&self) -> Vec<Mfn> {
        self.frames.borrow().clone()
    }

    /// The machine's memory, as it is now.
    pub(crate) fn memory(&self) -> BTreeMap<u64, Vec<u8>> {
        let mut memory = BTreeMap::new();
        for (frames, pages) in &*self.mapped.borrow() {
            let bytes = pages.snapshot();
            for (frame, page) in frames.iter().zip(bytes.chunks(PAGE_SIZE)) {
                memory.insert(frame.number(), page.to_vec());
            }
        }
        memory
    }
}

impl Toolstack for Xen {
    type Foreign = LocalPages;

    fn create(&self, wanted: &NewDomain) -> Result<DomId, ToolstackError> {
        self.call(Call::Create)?;
        self.handle.set(wanted.handle);
        Ok(DOMAIN)
    }

    fn populate(&self, _: DomId, frames: &mut [Mfn]) -> Result<(), ToolstackError> {
        self.call(Call::Populate)?;
        // Any order but the pages' own; no two are the same, since 7 and a power of two have no common factor.
        let count = frames.len() as u64;
        for (index, frame) in (0..).zip(frames.iter_mut()) {
            *frame = Mfn::new(0x10_0000 + index * 7 % count.next_power_of_two());
        }
        *self.frames.borrow_mut() = frames.to_vec();
        Ok(())
    }

    fn map(&self, _: DomId, frames: &[Mfn]) -> Result<LocalPages, ToolstackError> {
        self.call(Call::Map)?;
        let pages = LocalPages::new(frames.len());
        let before = self.memory();
        for (index, frame) in frames.iter().enumerate() {
            let stale = vec![0xc2; PAGE_SIZE];
            let page = before.get(&frame.number()).unwrap_or(&stale);
            pages.region().write(index * PAGE_SIZE, page);
        }
        self.mapped
            .borrow_mut()
            .push((frames.to_vec(), pages.clone()));
        Ok(pages)
    }

    fn write_hypercall_page(&self, _: DomId, frame: Mfn) -> Result<(), ToolstackError> {
        self.call(Call::HypercallPage(frame))
    }

    fn pin(&self, _: DomId, root: Mfn) -> Result<(), ToolstackError> {
        self.call(Call::Pin(root))
    }

    fn start_at(&self, _: DomId, _: u32, start: &Start) -> Result<(), ToolstackError> {
        self.call(Call::StartAt(*start))
    }

    fn listen_for(&self, _: DomId, peer: DomId) -> Result<Port, ToolstackError> {
        self.call(Call::Listen(peer))?;
        self.ports.set(self.ports.get() + 1);
        Ok(Port::new(self.ports.get()))
    }

    fn grant(&self, _: DomId, grants: &[(GrantRef, DomId, Mfn)]) -> Result<(), ToolstackError> {
        grants.iter().try_for_each(|&(reference, peer, frame)| {
            self.call(Call::Grant(reference, peer, frame))
        })
    }

    fn pause(&self, _: DomId) -> Result<(), ToolstackError> {
        unreachable!("nobody pauses what is built")
    }

    fn unpause(&self, _: DomId) -> Result<(), ToolstackError> {
        self.call(Call::Unpause)
    }

    fn destroy(&self, domain: DomId) -> Result<(), ToolstackError> {
        assert_eq!(domain, DOMAIN);
        self.call(Call::Destroy)
    }

    fn next(&self, from: DomId) -> Result<Option<DomainInfo>, ToolstackError> {
        let dom0 = from == DomId::DOM0 && self.has_dom0.get();
        let Some(activity) = self.activity() else {
            return Ok(dom0.then(|| info(DomId::DOM0, Activity::Running, [0; 16])));
        };
        let domain = info(DOMAIN, activity, self.handle.get());
        Ok(match dom0 {
            true => Some(info(DomId::DOM0, Activity::Running, [0; 16])),
            false => (from <= DOMAIN).then_some(domain),
        })
    }
}

fn info(domain: DomId, activity: Activity, handle: [u8; 16]) -> DomainInfo {
    DomainInfo {
        domain,
        handle,
        activity,

        pages: 0,
        max_pages: 0,
        shared_info: SHARED_INFO,
        cpu_time_ns: 0,
        vcpus: 0,
    }
}
