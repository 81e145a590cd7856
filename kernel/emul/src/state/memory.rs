//! Grants: sharing, mapping, copying.

use std::sync::Arc;

use morgana_hal::{DomId, GrantRef, MemoryError};

use super::State;
use crate::backing::Backing;
use crate::faults::{Operation, Trouble};
use crate::grants::{Access, After};
use crate::mapping::PageAddress;
use crate::mappings::{Handle, Mapped, StaleHandle};

impl State {
    /// The domain's memory, also when it is dead but some of it is mapped.
    pub(crate) fn backing(&self, id: DomId) -> Option<Arc<Backing>> {
        Some(self.domains.get(&id)?.backing.clone())
    }

    /// Takes `count` neighbouring pages, zeroed, and grants each to `peer`. Returns the first.
    pub(crate) fn share(
        &mut self,
        caller: DomId,
        peer: DomId,
        count: usize,
        access: Access,
    ) -> Result<(Arc<Backing>, usize, Vec<GrantRef>), MemoryError> {
        self.hypercall(caller);
        match self.fault(caller, Operation::Share) {
            Some(Trouble::FullGrants) => return Err(MemoryError::NoFreeGrant),
            Some(Trouble::NoMemory) => return Err(MemoryError::OutOfMemory),
            _ => {}
        }
        if !self.is_running(peer) {
            return Err(MemoryError::NoSuchDomain);
        }
        let domain = self.domain(caller).ok_or(MemoryError::NoSuchDomain)?;
        if domain.grants.free_entries() < count {
            return Err(MemoryError::NoFreeGrant);
        }
        let first = domain.pages.take(count).ok_or(MemoryError::OutOfMemory)?;
        domain.backing.zero(first, count);
        let grants = (first..first + count)
            .map(|page| domain.grants.add(peer, access, page))
            .collect::<Result<_, _>>()?;
        Ok((domain.backing.clone(), first, grants))
    }

    /// Ends the peer's access to own pages. Pages that it still maps are set aside.
    pub(crate) fn end_sharing(&mut self, caller: DomId, grants: &[GrantRef]) {
        self.hypercall(caller);
        let Some(domain) = self.domain(caller) else {
            return;
        };
        for &grant in grants {
            if let After::Freed { page } = domain.grants.end(grant) {
                domain.pages.give_back(page);
            }
        }
    }

    /// Maps all of `grants`, or none. `place` is told the how many-th each is, and where it is.
    pub(crate) fn map_all(
        &mut self,
        caller: DomId,
        peer: DomId,
        grants: &[GrantRef],
        mut place: impl FnMut(usize, &Backing, usize) -> Result<Option<PageAddress>, MemoryError>,
    ) -> Result<Vec<Handle>, MemoryError> {
        let mut handles = Vec::with_capacity(grants.len());
        for (index, &grant) in grants.iter().enumerate() {
            let mapped = self.map(caller, peer, grant, |backing, page| {
                place(index, backing, page)
            });
            match mapped {
                Ok(handle) => handles.push(handle),
                Err(error) => {
                    for handle in handles {
                        // Mapped just now, so it is there; unless the domain has died over it.
                        let _ = self.unmap(caller, handle);
                    }
                    return Err(error);
                }
            }
        }
        Ok(handles)
    }

    /// Maps one page: checks it all, has `place` do it, and writes it down.
    fn map(
        &mut self,
        caller: DomId,
        peer: DomId,
        grant: GrantRef,
        place: impl FnOnce(&Backing, usize) -> Result<Option<PageAddress>, MemoryError>,
    ) -> Result<Handle, MemoryError> {
        self.hypercall(caller);
        if self.fault(caller, Operation::Map).is_some() {
            return Err(MemoryError::NoAddressSpace);
        }
        let own = self.domain(caller).ok_or(MemoryError::NoSuchDomain)?;
        own.mappings.check_room()?;
        let granter = self.domain(peer).ok_or(MemoryError::NoSuchDomain)?;
        let entry = granter.grants.check(grant, caller, Access::ReadWrite)?;
        if entry.mapped {
            // Xen would allow this; here it is an error, for nobody has a use for it but a bug.
            return Err(MemoryError::BadGrant);
        }
        let address = place(&granter.backing, entry.page)?;
        entry.mapped = true;
        let own = self.domain(caller).ok_or(MemoryError::NoSuchDomain)?;
        own.mappings.add(Mapped {
            peer,
            grant,
            address,
        })
    }

    /// Takes a mapping off the books. The caller unmaps the page only afterwards.
    pub(crate) fn unmap(&mut self, caller: DomId, handle: Handle) -> Result<(), StaleHandle> {
        self.hypercall(caller);
        let own = self.domain(caller).ok_or(StaleHandle)?;
        let mapped = own.mappings.remove(handle)?;
        self.unmapped(mapped);
        Ok(())
    }

    pub(super) fn unmapped(&mut self, mapped: Mapped) {
        let Some(granter) = self.domains.get_mut(&mapped.peer) else {
            return;
        };
        if let After::Freed { page } = granter.grants.unmapped(mapped.grant) {
            granter.pages.give_back(page);
        }
        if granter.dead && granter.grants.mapped_count() == 0 {
            self.domains.remove(&mapped.peer);
        }
    }

    /// Lets `copy` have the page that `grant` names, if `caller` may access it so.
    pub(crate) fn with_granted_page(
        &mut self,
        caller: DomId,
        peer: DomId,
        grant: GrantRef,
        access: Access,
        copy: impl FnOnce(&Backing, usize),
    ) -> Result<(), MemoryError> {
        self.hypercall(caller);
        if !self.is_running(caller) {
            return Err(MemoryError::NoSuchDomain);
        }
        let granter = self.domain(peer).ok_or(MemoryError::NoSuchDomain)?;
        let page = granter.grants.check(grant, caller, access)?.page;
        copy(&granter.backing, page);
        Ok(())
    }
}
