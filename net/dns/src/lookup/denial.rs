//! Proofs that something is not there, by NSEC (RFC 4035 section 3.1.3) or by NSEC3 (`nsec3`).

use domain::base::iana::Rtype;

use super::answer::Resolver;
use crate::key::Key;
use crate::wire::{Full, Owner, Section};
use crate::zone::{Node, Proof};

/// How many different records prove something in one answer, at the most: three for each of two names, if an alias of a wildcard leads to another.
/// Further ones may be there twice, which does no harm.
const MAX_PROOFS: usize = 8;

/// The proofs that an answer has already.
#[derive(Debug, Default)]
pub(super) struct Denial {
    keys: [u32; MAX_PROOFS],
    count: usize,
}

impl Denial {
    /// Whether a node's record has yet to be written.
    fn is_new(&mut self, node: &Node) -> bool {
        if self.keys[..self.count].contains(&node.key) {
            return false;
        }
        if let Some(place) = self.keys.get_mut(self.count) {
            *place = node.key;
            self.count += 1;
        }
        true
    }
}

impl Resolver<'_, '_, '_> {
    /// The name is not there, and no wildcard stands for it.
    pub(super) fn deny_name(
        &mut self,
        name: &[u8],
        key: &[u8],
        encloser: usize,
    ) -> Result<(), Full> {
        match self.zone.proof() {
            Proof::Unsigned => Ok(()),
            Proof::Nsec => {
                self.nsec(key)?;
                self.nsec(Key::child(&key[..encloser], b"*").as_bytes())
            }
            Proof::Nsec3 { .. } => self.nsec3_name(name, key, encloser),
        }
    }

    /// The name is there, but nothing of the type asked for.
    pub(super) fn deny_type(&mut self, name: &[u8], key: &[u8]) -> Result<(), Full> {
        match self.zone.proof() {
            Proof::Unsigned => Ok(()),
            Proof::Nsec => self.nsec(key),
            Proof::Nsec3 { .. } => self.nsec3_type(name, key),
        }
    }

    /// A wildcard's record is the answer, as the name itself is not there (RFC 4035 section 3.1.3.3).
    pub(super) fn deny_closer(
        &mut self,
        name: &[u8],
        key: &[u8],
        encloser: usize,
    ) -> Result<(), Full> {
        match self.zone.proof() {
            Proof::Unsigned => Ok(()),
            Proof::Nsec => self.nsec(key),
            Proof::Nsec3 { .. } => self.nsec3_closer(name, key, encloser),
        }
    }

    /// A wildcard stands for the name, but has nothing of the type asked for.
    pub(super) fn deny_wildcard_type(
        &mut self,
        name: &[u8],
        key: &[u8],
        encloser: usize,
    ) -> Result<(), Full> {
        match self.zone.proof() {
            Proof::Unsigned => Ok(()),
            Proof::Nsec => {
                self.nsec(key)?;
                self.nsec(Key::child(&key[..encloser], b"*").as_bytes())
            }
            Proof::Nsec3 { .. } => self.nsec3_wildcard_type(name, key, encloser),
        }
    }

    /// The NSEC record at a name or over it.
    fn nsec(&mut self, key: &[u8]) -> Result<(), Full> {
        match self.zone.nsec_at_or_before(key) {
            Some(node) => self.proof(node, Rtype::NSEC),
            None => Ok(()),
        }
    }

    /// Writes a node's NSEC or NSEC3 record, once.
    pub(super) fn proof(&mut self, node: &Node, rtype: Rtype) -> Result<(), Full> {
        let zone = self.zone;
        if !self.denial.is_new(node) {
            return Ok(());
        }
        // A key in a zone is one of its names.
        let Some(owner) = zone.owner(node) else {
            return Ok(());
        };
        let set = zone.set(node, rtype);
        self.set(
            Section::Authority,
            Owner::Name(owner.wire()),
            node,
            rtype,
            set,
        )
    }
}
