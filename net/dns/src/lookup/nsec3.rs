//! Proofs by NSEC3 (RFC 5155 section 7.2).

use domain::base::iana::Rtype;

use super::answer::{Resolver, ancestor};
use crate::key::ends;
use crate::name::Name;
use crate::wire::Full;
use crate::zone::Hashed;

impl Resolver<'_, '_, '_> {
    /// Section 7.2.2.
    pub(super) fn nsec3_name(
        &mut self,
        name: &[u8],
        key: &[u8],
        encloser: usize,
    ) -> Result<(), Full> {
        let encloser = self.closest_encloser(name, key, encloser)?;
        self.wildcard_of(encloser)
    }

    /// Sections 7.2.3, 7.2.4 and 7.2.7: where the name has no record of its own, as under opt-out, what is above it proves it.
    pub(super) fn nsec3_type(&mut self, name: &[u8], key: &[u8]) -> Result<(), Full> {
        match self.zone.nsec3(name) {
            Some(Hashed::Matches(node)) => self.proof(node, Rtype::NSEC3),
            Some(Hashed::Covers(_)) if !key.is_empty() => {
                let above = ends(key).count() - 1;
                let end = above.checked_sub(1).and_then(|place| ends(key).nth(place));
                self.closest_encloser(name, key, end.unwrap_or(0)).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Section 7.2.6.
    pub(super) fn nsec3_closer(
        &mut self,
        name: &[u8],
        key: &[u8],
        encloser: usize,
    ) -> Result<(), Full> {
        let labels = self.labels(key, encloser);
        self.covering(ancestor(name, labels + 1))
    }

    /// Section 7.2.5.
    pub(super) fn nsec3_wildcard_type(
        &mut self,
        name: &[u8],
        key: &[u8],
        encloser: usize,
    ) -> Result<(), Full> {
        let encloser = self.closest_encloser(name, key, encloser)?;
        self.wildcard_of(encloser)
    }

    /// How many labels the name has whose key is that long.
    fn labels(&self, key: &[u8], len: usize) -> usize {
        Name::label_count(self.zone.origin().wire()) + ends(&key[..len]).count()
    }

    /// Proves which ancestor of a name is the closest that is there (section 7.2.1), and returns it. Under opt-out it is the closest
    /// that has a record.
    fn closest_encloser<'n>(
        &mut self,
        name: &'n [u8],
        key: &[u8],
        encloser: usize,
    ) -> Result<&'n [u8], Full> {
        let origin = Name::label_count(self.zone.origin().wire());
        let mut labels = self.labels(key, encloser);
        loop {
            let above = ancestor(name, labels);
            if let Some(Hashed::Matches(node)) = self.zone.nsec3(above) {
                self.proof(node, Rtype::NSEC3)?;
                self.covering(ancestor(name, labels + 1))?;
                return Ok(above);
            }
            if labels <= origin {
                // A chain without its origin's record proves nothing.
                return Ok(above);
            }
            labels -= 1;
        }
    }

    /// The record that covers a name.
    fn covering(&mut self, name: &[u8]) -> Result<(), Full> {
        match self.zone.nsec3(name) {
            Some(Hashed::Covers(node) | Hashed::Matches(node)) => self.proof(node, Rtype::NSEC3),
            None => Ok(()),
        }
    }

    /// The record of the wildcard below a name, or the one that covers it.
    fn wildcard_of(&mut self, encloser: &[u8]) -> Result<(), Full> {
        match Name::join(b"\x01*", encloser) {
            Some(wildcard) => self.covering(wildcard.wire()),
            None => Ok(()),
        }
    }
}
