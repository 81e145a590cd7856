//! The way through a zone to an answer.

use alloc::boxed::Box;
use alloc::vec::Vec;

use domain::base::iana::Rtype;

use super::additional::Targets;
use super::denial::Denial;
use crate::key::{Key, ends};
use crate::name::{Name, label_step};
use crate::wire::{Full, Options, Owner, Section, Writer, rcode};
use crate::zone::{Exact, Kind, Node, Set, Walk, Zone};

/// How many aliases are followed (RFC 1034 section 3.6.2 leaves the number open). A longer chain is answered as far as it was followed.
const MAX_ALIASES: usize = 32;

/// A question to a zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'q> {
    pub(crate) name: &'q [u8],
    pub(crate) rtype: Rtype,
    pub(crate) options: Options,
}

/// What has been written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Resolved {
    pub(crate) rcode: u16,
    /// Whether the answer is the zone's own: AA.
    pub(crate) authoritative: bool,
    /// Where in the zone it was found: answers made of one wildcard have one number.
    pub(crate) source: u32,
}

/// Answers a question from a zone that its name is in. What has been written says little if it is [`Full`]: that is so if the answer and the
/// authority section, or addresses without which a referral is of no use, do not fit.
pub(crate) fn resolve(
    zone: &Zone,
    asked: &Asked<'_>,
    writer: &mut Writer<'_>,
) -> (Resolved, Result<(), Full>) {
    let mut resolver = Resolver {
        zone,
        asked,
        writer,
        denial: Denial::default(),
        targets: Targets::default(),
        resolved: Resolved {
            rcode: rcode::NOERROR,
            authoritative: true,
            source: 0,
        },
        aliases: [0; MAX_ALIASES],
        alias_count: 0,
        owners: Vec::new(),
        expanded: Vec::new(),
    };
    let sections = resolver.run();
    let Resolver {
        targets, resolved, ..
    } = resolver;
    let all = sections.and_then(|()| targets.write(zone, asked.options, writer));
    (resolved, all)
}

pub(super) struct Resolver<'z, 'a, 'o> {
    pub(super) zone: &'z Zone,
    pub(super) asked: &'a Asked<'a>,
    pub(super) writer: &'a mut Writer<'o>,
    pub(super) denial: Denial,
    targets: Targets<'z>,
    resolved: Resolved,
    /// The keys' places of the owners of aliases that have been written.
    aliases: [u32; MAX_ALIASES],
    alias_count: usize,
    /// Their names' keys: one wildcard stands for many.
    owners: Vec<Box<[u8]>>,
    /// Names for which a wildcard stood, and their closest enclosers' lengths. Their proofs come behind the whole answer.
    expanded: Vec<(Name, usize)>,
}

/// The name that comes after one that is an alias.
type Next = Option<Name>;

impl<'z> Resolver<'z, '_, '_> {
    fn run(&mut self) -> Result<(), Full> {
        let mut name = Name::from_wire(self.asked.name);
        let mut first = true;
        while let Some(current) = name {
            let key = Key::of(current.wire());
            // An alias may lead out of the zone: its target is not ours to tell (RFC 2308 section 2.1).
            let Some(relative) = self.zone.relative(&key) else {
                break;
            };
            let owner = if first {
                Owner::Question
            } else {
                Owner::Name(current.wire())
            };
            let walk = self.zone.walk(relative);
            let at = At {
                name: &current,
                key: relative,
                owner,
            };
            name = self.name(&at, &walk)?;
            first = false;
        }
        self.deny_expanded()
    }

    /// Proves that the names for which wildcards stood are not there themselves.
    fn deny_expanded(&mut self) -> Result<(), Full> {
        for (name, encloser) in core::mem::take(&mut self.expanded) {
            let key = Key::of(name.wire());
            if let Some(relative) = self.zone.relative(&key) {
                self.deny_closer(name.wire(), relative, encloser)?;
            }
        }
        Ok(())
    }

    fn name(&mut self, at: &At<'_>, walk: &Walk<'z>) -> Result<Next, Full> {
        if let Some(above) = walk.above {
            let own = matches!(walk.exact, Exact::Node(node) if self.zone.is_at(node, at.key));
            match above.kind {
                // The parent has authority over DS (RFC 4035 section 3.1.4.1).
                Kind::Cut if own && self.asked.rtype == Rtype::DS => {}
                Kind::Cut => return self.referral(at, above).map(|()| None),
                Kind::Dname => return self.dname(at, above),
                Kind::Plain => {}
            }
        }
        match walk.exact {
            Exact::Node(node) => self.node(at, node, None),
            Exact::Empty => self.no_data(at, None).map(|()| None),
            Exact::Missing => self.wildcard(at, walk.encloser),
        }
    }

    /// A name that is missing: perhaps a wildcard stands for it (RFC 4592 section 3.3).
    fn wildcard(&mut self, at: &At<'_>, encloser: usize) -> Result<Next, Full> {
        let source = Key::child(&at.key[..encloser], b"*");
        let wild = Wild { encloser };
        match self.zone.exact(source.as_bytes()) {
            Exact::Node(node) => self.node(at, node, Some(wild)),
            Exact::Empty => self.no_data(at, Some(wild)).map(|()| None),
            Exact::Missing => {
                self.resolved.rcode = rcode::NXDOMAIN;
                self.soa()?;
                if self.asked.options == Options::Dnssec {
                    self.deny_name(at.name.wire(), at.key, encloser)?;
                }
                Ok(None)
            }
        }
    }

    /// A name with records, its own or a wildcard's.
    fn node(&mut self, at: &At<'_>, node: &'z Node, wild: Option<Wild>) -> Result<Next, Full> {
        if self.alias_count == 0 {
            self.resolved.source = node.key + 1;
        }
        let wanted = match self.asked.rtype {
            Rtype::ANY => self.zone.any_type(node).unwrap_or(Rtype::SOA),
            other => other,
        };
        let set = self.zone.set(node, wanted);
        if !set.is_empty() {
            self.positive(at, node, wanted, set, wild)?;
            return Ok(None);
        }
        let alias = self.zone.set(node, Rtype::CNAME);
        let Some(target) = alias.data().next() else {
            return self.no_data(at, wild).map(|()| None);
        };
        if !self.remember_alias(at, node, wild) {
            return Ok(None);
        }
        self.positive(at, node, Rtype::CNAME, alias, wild)?;
        Ok(Name::from_wire(target))
    }

    fn positive(
        &mut self,
        at: &At<'_>,
        node: &'z Node,
        rtype: Rtype,
        set: Set<'z>,
        wild: Option<Wild>,
    ) -> Result<(), Full> {
        self.set(Section::Answer, at.owner, node, rtype, set)?;
        self.targets.add(rtype, set);
        if let (Some(wild), Options::Dnssec) = (wild, self.asked.options) {
            self.expanded.push((*at.name, wild.encloser));
        }
        Ok(())
    }

    /// Whether an alias may be followed: not when its name was an alias before, nor when there were too many. A wildcard may stand for several names.
    fn remember_alias(&mut self, at: &At<'_>, node: &Node, wild: Option<Wild>) -> bool {
        let seen = self.owners.iter().any(|owner| **owner == *at.key);
        if seen || self.alias_count == MAX_ALIASES {
            return false;
        }
        self.owners.push(at.key.into());
        // What no node has: no key is at the octets' end.
        self.aliases[self.alias_count] = if wild.is_some() { u32::MAX } else { node.key };
        self.alias_count += 1;
        true
    }

    /// A name with other records than those asked for, or with none.
    fn no_data(&mut self, at: &At<'_>, wild: Option<Wild>) -> Result<(), Full> {
        self.soa()?;
        if self.asked.options == Options::Dnssec {
            match wild {
                None => self.deny_type(at.name.wire(), at.key)?,
                Some(wild) => self.deny_wildcard_type(at.name.wire(), at.key, wild.encloser)?,
            }
        }
        Ok(())
    }

    /// The name is in another zone, whose servers we know.
    fn referral(&mut self, at: &At<'_>, cut: &'z Node) -> Result<(), Full> {
        if self.alias_count == 0 {
            self.resolved.authoritative = false;
            self.resolved.source = cut.key + 1;
        }
        let skipped = Name::label_count(at.name.wire()) - self.zone.label_count(cut);
        let owner = Name::skip(at.name.wire(), skipped);
        let servers = self.zone.set(cut, Rtype::NS);
        for data in servers.data() {
            let owner = Owner::Name(owner);
            self.writer
                .record(Section::Authority, owner, Rtype::NS, servers.ttl(), data)?;
        }
        if self.asked.options == Options::Dnssec {
            let delegation = self.zone.set(cut, Rtype::DS);
            if delegation.is_empty() {
                let end = ends(at.key)
                    .nth(self.zone.depth(cut) - 1)
                    .unwrap_or(at.key.len());
                self.deny_type(owner, &at.key[..end])?;
            } else {
                self.set(
                    Section::Authority,
                    Owner::Name(owner),
                    cut,
                    Rtype::DS,
                    delegation,
                )?;
            }
        }
        self.targets.refer(cut, servers);
        Ok(())
    }

    /// All names below are those below another one (RFC 6672 section 3.2).
    fn dname(&mut self, at: &At<'_>, above: &'z Node) -> Result<Next, Full> {
        let depth = self.zone.label_count(above);
        let kept = Name::label_count(at.name.wire()) - depth;
        let owner = Name::skip(at.name.wire(), kept);
        let set = self.zone.set(above, Rtype::DNAME);
        let Some(target) = set.data().next() else {
            return Ok(None);
        };
        if !self.remember_alias(at, above, Some(Wild { encloser: 0 })) {
            return Ok(None);
        }
        // Its number is the one that others below it have, too.
        self.resolved.source = above.key + 1;
        let seen = self.aliases[..self.alias_count - 1].contains(&above.key);
        if !seen {
            self.set(
                Section::Answer,
                Owner::Name(owner),
                above,
                Rtype::DNAME,
                set,
            )?;
        }
        self.aliases[self.alias_count - 1] = above.key;
        let labels = &at.name.wire()[..at.name.wire().len() - owner.len()];
        let Some(name) = Name::join(labels, target) else {
            self.resolved.rcode = rcode::YXDOMAIN;
            return Ok(None);
        };
        self.writer.record(
            Section::Answer,
            at.owner,
            Rtype::CNAME,
            set.ttl(),
            name.wire(),
        )?;
        Ok(match self.asked.rtype {
            Rtype::CNAME | Rtype::ANY => None,
            _ => Some(name),
        })
    }

    /// The SOA, as an answer that something is not there has it (RFC 2308 section 3).
    fn soa(&mut self) -> Result<(), Full> {
        let (zone, apex) = (self.zone, self.zone.apex());
        let ttl = zone.negative_ttl();
        let owner = Owner::Name(zone.origin().wire());
        let mut sets = [Some((Rtype::SOA, zone.set(apex, Rtype::SOA))), None];
        if self.asked.options == Options::Dnssec {
            sets[1] = Some((Rtype::RRSIG, zone.signatures(apex, Rtype::SOA)));
        }
        for (rtype, set) in sets.into_iter().flatten() {
            for data in set.data() {
                self.writer
                    .record(Section::Authority, owner, rtype, ttl, data)?;
            }
        }
        Ok(())
    }

    /// Writes a set, with its signatures if they are wanted.
    pub(super) fn set(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        node: &Node,
        rtype: Rtype,
        set: Set<'_>,
    ) -> Result<(), Full> {
        write_set(
            self.zone,
            self.asked.options,
            self.writer,
            section,
            owner,
            (node, rtype, set),
        )
    }
}

/// Writes a set, with its signatures if they are wanted.
pub(super) fn write_set(
    zone: &Zone,
    options: Options,
    writer: &mut Writer<'_>,
    section: Section,
    owner: Owner<'_>,
    (node, rtype, set): (&Node, Rtype, Set<'_>),
) -> Result<(), Full> {
    for data in set.data() {
        writer.record(section, owner, rtype, set.ttl(), data)?;
    }
    if options == Options::Dnssec && rtype != Rtype::RRSIG {
        let signatures = zone.signatures(node, rtype);
        for data in signatures.data() {
            writer.record(section, owner, Rtype::RRSIG, signatures.ttl(), data)?;
        }
    }
    Ok(())
}

/// The name that is looked at.
struct At<'n> {
    name: &'n Name,
    /// Its key, relative to the zone's origin.
    key: &'n [u8],
    owner: Owner<'n>,
}

/// A name whose records are a wildcard's.
#[derive(Clone, Copy)]
struct Wild {
    /// How long the key of the closest encloser is.
    encloser: usize,
}

/// The first `count` labels' worth of a name's octets.
pub(super) fn ancestor(name: &[u8], labels: usize) -> &[u8] {
    let mut rest = name;
    let mut left = Name::label_count(name);
    while left > labels {
        rest = &rest[label_step(rest)..];
        left -= 1;
    }
    rest
}
