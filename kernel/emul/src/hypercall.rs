//! A domain's calls into the hypervisor, wherever that is: in this process, or at the other end of a socket.

use std::sync::Arc;

use morgana_hal::{
    DomId, EventError, GrantRef, Instant, MemoryError, PAGE_SIZE, Port, Usage, Virq,
};

use crate::EmulClock;
use crate::backing::Backing;
use crate::domain::Life;
use crate::entropy::fill_from_kernel;
use crate::grants::Access;
use crate::hypervisor::Inner;
use crate::mapping::Mapping;
use crate::mappings::Handle;
use crate::remote::Line;

/// Where the hypervisor is.
#[derive(Debug)]
pub(crate) enum Machine {
    /// In this process.
    Here(Arc<Inner>),
    /// In another one.
    There(Line),
}

impl Life {
    /// The hypervisor, if it is in this process.
    pub(crate) fn here(&self) -> Option<&Arc<Inner>> {
        match &self.machine {
            Machine::Here(inner) => Some(inner),
            Machine::There(_) => None,
        }
    }

    /// Gives the domain up, whose thread does not go on: it cannot be unwound.
    pub(crate) fn abandon(&self) {
        if let Machine::There(line) = &self.machine {
            line.hang_up();
        }
    }

    pub(crate) fn clock(&self) -> EmulClock {
        EmulClock(match &self.machine {
            Machine::Here(inner) => inner.time.clone(),
            Machine::There(line) => line.time(),
        })
    }

    pub(crate) fn fill_with_entropy(&self, out: &mut [u8]) {
        match &self.machine {
            Machine::Here(inner) => inner.entropy.fill(out),
            Machine::There(_) => fill_from_kernel(out),
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let usage = match &self.machine {
            Machine::Here(inner) => inner.state().usage(self.id),
            Machine::There(line) => line.usage(),
        };
        let heap = self.account.bytes();
        Usage {
            heap_used_bytes: heap.unwrap_or(0),
            // The host's is the only limit.
            heap_total_bytes: heap.map_or(0, |_| isize::MAX as usize),
            ..usage
        }
    }

    // Memory.

    pub(crate) fn backing(&self) -> Option<Arc<Backing>> {
        match &self.machine {
            Machine::Here(inner) => inner.state().backing(self.id),
            Machine::There(line) => Some(line.backing()),
        }
    }

    pub(crate) fn share(
        &self,
        peer: DomId,
        count: usize,
        access: Access,
    ) -> Result<(Arc<Backing>, usize, Vec<GrantRef>), MemoryError> {
        match &self.machine {
            Machine::Here(inner) => inner.state().share(self.id, peer, count, access),
            Machine::There(line) => line.share(peer, count, access),
        }
    }

    pub(crate) fn end_sharing(&self, grants: &[GrantRef]) {
        match &self.machine {
            Machine::Here(inner) => inner.state().end_sharing(self.id, grants),
            Machine::There(line) => line.end_sharing(grants),
        }
    }

    /// Maps all of `grants`, or none.
    pub(crate) fn map(
        &self,
        peer: DomId,
        grants: &[GrantRef],
    ) -> Result<(Mapping, Vec<Handle>), MemoryError> {
        let no_space = |_| MemoryError::NoAddressSpace;
        let mut mapping = Mapping::reserve(grants.len().max(1)).map_err(no_space)?;
        let inner = match &self.machine {
            Machine::Here(inner) => inner,
            Machine::There(line) => {
                let handles = line.map(peer, grants, &mut mapping)?;
                return Ok((mapping, handles));
            }
        };
        let place = |index, backing: &Backing, page| {
            let placed = mapping.place(index, backing.fd(), page);
            placed.map(Some).map_err(no_space)
        };
        let handles = inner.state().map_all(self.id, peer, grants, place)?;
        Ok((mapping, handles))
    }

    /// To be called before the mapping is dropped.
    pub(crate) fn unmap(&self, handles: &[Handle]) {
        match &self.machine {
            Machine::Here(inner) => {
                let mut state = inner.state();
                for &handle in handles {
                    // Stale only if the domain was killed, which has taken all its mappings off the books.
                    let _ = state.unmap(self.id, handle);
                }
            }
            Machine::There(line) => line.unmap(handles),
        }
    }

    /// Copies out of a peer's page. The lock is held for one operation at a time, so that others get their turn.
    pub(crate) fn copy_from(
        &self,
        peer: DomId,
        grant: GrantRef,
        offset: u16,
        into: &mut [u8],
    ) -> Result<(), MemoryError> {
        inside_a_page(offset, into.len())?;
        match &self.machine {
            Machine::Here(inner) => inner.copy_from(self.id, peer, grant, offset, into),
            Machine::There(line) => line.copy_from(peer, grant, offset, into),
        }
    }

    /// Copies into a peer's page.
    pub(crate) fn copy_to(
        &self,
        peer: DomId,
        grant: GrantRef,
        offset: u16,
        from: &[u8],
    ) -> Result<(), MemoryError> {
        inside_a_page(offset, from.len())?;
        match &self.machine {
            Machine::Here(inner) => inner.copy_to(self.id, peer, grant, offset, from),
            Machine::There(line) => line.copy_to(peer, grant, offset, from),
        }
    }

    // Events.

    pub(crate) fn listen(&self, peer: DomId) -> Result<Port, EventError> {
        match &self.machine {
            Machine::Here(inner) => inner.state().listen(self.id, peer),
            Machine::There(line) => line.listen(peer),
        }
    }

    pub(crate) fn connect(&self, peer: DomId, remote: Port) -> Result<Port, EventError> {
        match &self.machine {
            Machine::Here(inner) => inner.state().connect(self.id, peer, remote),
            Machine::There(line) => line.connect(peer, remote),
        }
    }

    pub(crate) fn bind_virq(&self, virq: Virq) -> Result<Port, EventError> {
        match &self.machine {
            Machine::Here(inner) => inner.state().bind_virq(self.id, virq),
            Machine::There(line) => line.bind_virq(virq),
        }
    }

    pub(crate) fn notify(&self, port: Port) {
        match &self.machine {
            Machine::Here(inner) => inner.state().notify(self.id, port),
            Machine::There(line) => line.notify(port),
        }
    }

    pub(crate) fn close(&self, port: Port) {
        match &self.machine {
            Machine::Here(inner) => inner.state().close(self.id, port),
            Machine::There(line) => line.close(port),
        }
    }

    /// Lets the late events come that are due.
    pub(crate) fn deliver_late(&self, now: Instant) {
        match &self.machine {
            Machine::Here(inner) => inner.state().deliver_late(self.id, now),
            Machine::There(line) => line.deliver_late(),
        }
    }
}

impl Inner {
    pub(crate) fn copy_from(
        &self,
        caller: DomId,
        peer: DomId,
        grant: GrantRef,
        offset: u16,
        into: &mut [u8],
    ) -> Result<(), MemoryError> {
        let mut state = self.state();
        state.with_granted_page(caller, peer, grant, Access::ReadOnly, |backing, page| {
            backing.with_readable_page(page, |region| region.read(offset.into(), into));
        })
    }

    pub(crate) fn copy_to(
        &self,
        caller: DomId,
        peer: DomId,
        grant: GrantRef,
        offset: u16,
        from: &[u8],
    ) -> Result<(), MemoryError> {
        let mut state = self.state();
        state.with_granted_page(caller, peer, grant, Access::ReadWrite, |backing, page| {
            backing.with_foreign_page(page, |region| region.write(offset.into(), from));
        })
    }
}

/// Whether `len` bytes at `offset` stay in one page.
pub(crate) fn inside_a_page(offset: u16, len: usize) -> Result<(), MemoryError> {
    match usize::from(offset).checked_add(len) {
        Some(end) if end <= PAGE_SIZE => Ok(()),
        _ => Err(MemoryError::OutOfPage),
    }
}
