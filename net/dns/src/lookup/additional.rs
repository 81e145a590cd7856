//! The addresses of names that an answer has.

use domain::base::iana::Rtype;

use super::answer::write_set;
use crate::key::Key;
use crate::name::Name;
use crate::wire::{Full, Options, Owner, Section, Writer};
use crate::zone::{Exact, Kind, Node, Set, Zone};

/// For how many names addresses are added. For further ones whoever asks has to ask again.
const MAX_TARGETS: usize = 32;
/// How many octets stand before the name in the data.
const BEFORE: [(Rtype, usize); 5] = [
    (Rtype::NS, 0),
    (Rtype::MX, 2),
    (Rtype::SRV, 6),
    (Rtype::SVCB, 2),
    (Rtype::HTTPS, 2),
];

/// Sets with names in them whose addresses may be of use.
#[derive(Debug, Default)]
pub(super) struct Targets<'z> {
    set: Option<(Rtype, Set<'z>)>,
    referral: Option<(&'z Node, Set<'z>)>,
}

impl<'z> Targets<'z> {
    /// A set in the answer.
    pub(super) fn add(&mut self, rtype: Rtype, set: Set<'z>) {
        self.set = Some((rtype, set));
    }

    /// A referral's servers.
    pub(super) fn refer(&mut self, cut: &'z Node, servers: Set<'z>) {
        self.referral = Some((cut, servers));
    }

    /// Writes the addresses.
    ///
    /// # Errors
    ///
    /// [`Full`] if addresses do not fit that nobody else could tell (RFC 9471 section 3). Others are left out.
    pub(super) fn write(
        self,
        zone: &'z Zone,
        options: Options,
        writer: &mut Writer<'_>,
    ) -> Result<(), Full> {
        let mut addresses = Addresses {
            zone,
            options,
            written: [0; MAX_TARGETS],
            count: 0,
        };
        if let Some((cut, servers)) = self.referral {
            for wanted in [Need::Required, Need::Useful] {
                for name in servers.data() {
                    addresses.glue(cut, name, wanted, writer)?;
                }
            }
        }
        let Some((rtype, set)) = self.set else {
            return Ok(());
        };
        let Some((_, before)) = BEFORE.iter().find(|(one, _)| *one == rtype) else {
            return Ok(());
        };
        for data in set.data() {
            addresses.useful(data.get(*before..).unwrap_or_default(), writer);
        }
        Ok(())
    }
}

/// Whether a referral is of use without an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Useful,
}

struct Addresses<'z> {
    zone: &'z Zone,
    options: Options,
    /// The places of the keys of those that have been written.
    written: [u32; MAX_TARGETS],
    count: usize,
}

impl<'z> Addresses<'z> {
    /// A referral's addresses: those below the cut are required.
    fn glue(
        &mut self,
        cut: &Node,
        name: &[u8],
        wanted: Need,
        writer: &mut Writer<'_>,
    ) -> Result<(), Full> {
        let Some(name) = Name::from_wire(name) else {
            return Ok(());
        };
        let key = Key::of(name.wire());
        let Some(relative) = self.zone.relative(&key) else {
            return Ok(());
        };
        let need = match relative.starts_with(self.zone.key_of(cut)) {
            true => Need::Required,
            false => Need::Useful,
        };
        if need != wanted {
            return Ok(());
        }
        let Exact::Node(node) = self.zone.exact(relative) else {
            return Ok(());
        };
        let mark = writer.mark();
        match (self.write(node, &name, writer), need) {
            (Err(Full), Need::Required) => Err(Full),
            (Err(Full), Need::Useful) => {
                writer.back(&mark);
                Ok(())
            }
            (Ok(()), _) => Ok(()),
        }
    }

    /// Addresses of a name that the zone has authority over.
    fn useful(&mut self, name: &[u8], writer: &mut Writer<'_>) {
        let Some(name) = Name::from_wire(name) else {
            return;
        };
        let key = Key::of(name.wire());
        let Some(relative) = self.zone.relative(&key) else {
            return;
        };
        let walk = self.zone.walk(relative);
        let own = walk
            .above
            .is_none_or(|above| above.kind == Kind::Dname && self.zone.is_at(above, relative));
        let (true, Exact::Node(node)) = (own, walk.exact) else {
            return;
        };
        let mark = writer.mark();
        if self.write(node, &name, writer).is_err() {
            writer.back(&mark);
        }
    }

    fn write(&mut self, node: &'z Node, name: &Name, writer: &mut Writer<'_>) -> Result<(), Full> {
        if self.written[..self.count].contains(&node.key) {
            return Ok(());
        }
        let Some(place) = self.written.get_mut(self.count) else {
            return Ok(());
        };
        for rtype in [Rtype::A, Rtype::AAAA] {
            let set = self.zone.set(node, rtype);
            let owner = Owner::Name(name.wire());
            write_set(
                self.zone,
                self.options,
                writer,
                Section::Additional,
                owner,
                (node, rtype, set),
            )?;
        }
        *place = node.key;
        self.count += 1;
        Ok(())
    }
}
