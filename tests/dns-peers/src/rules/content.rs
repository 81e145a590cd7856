//! Differences in which records are in the sections.

use super::{Side, names_on_the_way, replies, wildcards_above};
use crate::name;
use crate::queries::Case;
use crate::reply::{AUTHORITATIVE, Key, Reply, Rrset, Section, TRUNCATED};
use crate::signing::Signing;
use crate::world::World;

const NS: u16 = 2;
const CNAME: u16 = 5;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const NSEC3: u16 = 50;
const NSEC3PARAM: u16 = 51;
const ANY: u16 = 255;

fn asks(case: &Case, rtype: u16) -> bool {
    case.asked
        .as_ref()
        .is_some_and(|asked| asked.rtype == rtype)
}

fn clear(replies: [&mut Reply; 2]) -> bool {
    for reply in replies {
        reply.sections = Default::default();
    }
    true
}

pub(super) fn any_subset(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    let something = |reply: &Reply| reply.rcode == 0 && !reply.sections[0].is_empty();
    asks(case, ANY) && something(left) && something(right) && clear([left, right])
}

pub(super) fn signatures(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    let both = [left.rcode, right.rcode] == [0; 2];
    asks(case, RRSIG) && both && clear([left, right])
}

/// A referral out of an unsigned zone has a DS for one, and none for the other.
pub(super) fn unsigned_ds(world: &World, _: &Case, left: &mut Side, right: &mut Side) -> bool {
    let mut found = false;
    for reply in replies(left, right).into_iter().flatten() {
        let Some(cut) = cut(reply) else {
            continue;
        };
        let mut zones = world
            .zones()
            .iter()
            .filter(|zone| zone.signing() == Signing::Unsigned);
        let is_unsigned =
            zones.any(|zone| zone.origin() != cut && name::is_within(&cut, zone.origin()));
        let before = reply.sections[1].len();
        reply.sections[1].retain(|key, _| key.2 != DS || !is_unsigned);
        found |= reply.sections[1].len() < before;
    }
    found
}

/// Leaves only the addresses of name servers below a cut.
pub(super) fn additional(_: &World, _: &Case, left: &mut Side, right: &mut Side) -> bool {
    let mut found = false;
    for reply in replies(left, right).into_iter().flatten() {
        let cut = cut(reply);
        let before = reply.sections[2].len();
        reply.sections[2].retain(|(owner, ..), _| {
            let owner = name::text(owner);
            cut.as_ref().is_some_and(|cut| name::is_within(&owner, cut))
        });
        found |= reply.sections[2].len() < before;
    }
    found
}

/// The answer of one peer has less glue, and is so long that further addresses may not fit into it.
pub(super) fn no_room(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    /// Some addresses of a name server, with their signature. NSD adds nothing more behind the first set that does not fit.
    const ADDRESSES: usize = 400;
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    let is_part = |small: &Section, large: &Section| {
        small.len() < large.len() && small.iter().all(|(key, set)| large.get(key) == Some(set))
    };
    if !is_part(&right.sections[2], &left.sections[2]) || right.length + ADDRESSES <= case.room() {
        return false;
    }
    left.sections[2].clear();
    right.sections[2].clear();
    true
}

/// The name that a referral leads to, perhaps one at the end of a chain.
fn cut(reply: &Reply) -> Option<String> {
    let mut keys = reply.sections[1].keys();
    let (owner, ..) = keys.find(|(_, _, rtype, _)| *rtype == NS)?;
    let refers = !reply.has(AUTHORITATIVE) || is_chain(&reply.sections[0]);
    refers.then(|| name::text(owner))
}

/// Whether a section has aliases, and nothing but them and their signatures.
fn is_chain(section: &Section) -> bool {
    let mut keys = section.keys();
    !section.is_empty() && keys.all(|(_, _, rtype, covered)| [*rtype, *covered].contains(&CNAME))
}

/// One answers from a wildcard or says that there is no such name, and NSD, on the right, takes a name of another zone, or one above such, for one
/// that is there: it has no answer to what was asked for or to the end of a chain.
pub(super) fn foreign_names(world: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let (Some([left, right]), Some(asked)) = (replies(left, right), &case.asked) else {
        return false;
    };
    let names = names_on_the_way(left, right, &asked.name);
    if !is_chain_or_nothing(right) || !names.iter().any(|name| meets_foreign(world, name)) {
        return false;
    }
    left.rcode = right.rcode;
    clear([left, right])
}

fn is_chain_or_nothing(reply: &Reply) -> bool {
    reply.sections[0].is_empty() || is_chain(&reply.sections[0])
}

/// Whether a name of another zone has more labels in common with `name` than the zone of `name` has, or is a wildcard there for `name`.
fn meets_foreign(world: &World, name: &str) -> bool {
    let Some(own) = world.zone_of(name) else {
        return false;
    };
    let least = name::labels(own.origin()).len() + 1;
    let labels = lower(name);
    let wildcards: Vec<_> = wildcards_above(&labels)
        .filter(|labels| labels.len() >= least)
        .collect();
    let others = world
        .zones()
        .iter()
        .filter(|zone| zone.origin() != own.origin());
    let mut names = others
        .flat_map(|zone| zone.names())
        .map(|other| lower(other));
    names.any(|other| {
        let pairs = other.iter().rev().zip(labels.iter().rev());
        let common = pairs.take_while(|(one, other)| one == other).count();
        common >= least || wildcards.iter().any(|wildcard| other.ends_with(wildcard))
    })
}

fn lower(name: &str) -> Vec<Vec<u8>> {
    name::labels(&name.to_ascii_lowercase())
}

/// One follows a chain to where the other one stops.
pub(super) fn end_of_chain(world: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    if !stops_earlier(world, case, left, right) && !stops_earlier(world, case, right, left) {
        return false;
    }
    left.rcode = right.rcode;
    clear([left, right])
}

/// Whether the aliases in `short` are part of what is in `long`, and a server may stop at their end.
fn stops_earlier(world: &World, case: &Case, short: &Reply, long: &Reply) -> bool {
    let (chain, whole) = (&short.sections[0], &long.sections[0]);
    let is_part = chain.iter().all(|(key, set)| whole.get(key) == Some(set));
    if !is_part || !is_chain(chain) || short.rcode != 0 {
        return false;
    }
    let zone = |wire: &[u8]| world.zone_of(&name::text(wire)).map(|zone| zone.origin());
    let mut aliases = chain.iter().filter(|(key, _)| key.2 == CNAME);
    let leaves = |(key, set): (&Key, &Rrset)| {
        let mut targets = set.data.iter();
        targets.any(|target| {
            // The DS records of an apex are in the zone above it (RFC 4035, section 3.1.4.1).
            let is_apex = zone(target).is_some_and(|origin| is_same(target, origin));
            zone(target) != zone(&key.0) || asks(case, DS) && is_apex
        })
    };
    aliases.clone().count() >= LONG || aliases.any(leaves)
}

fn is_same(wire: &[u8], origin: &str) -> bool {
    name::text(wire).eq_ignore_ascii_case(origin)
}

/// So many aliases are followed by everybody.
const LONG: usize = 5;

/// An alias is there once for one, and twice for the other.
pub(super) fn twice(_: &World, _: &Case, left: &mut Side, right: &mut Side) -> bool {
    let mut found = false;
    for reply in replies(left, right).into_iter().flatten() {
        let aliases = reply.sections[0].iter_mut();
        for (_, set) in aliases.filter(|(key, _)| [key.2, key.3].contains(&CNAME)) {
            found |= set.drop_repeated();
        }
    }
    found
}

/// One follows the alias, and the other one says that the type is not there.
pub(super) fn beside_alias(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    let sections = [&left.sections[0], &right.sections[0]];
    let one = sections.iter().any(|section| section.is_empty());
    let other = sections
        .iter()
        .any(|section| section.keys().any(|key| key.2 == CNAME));
    let asks_such = [RRSIG, NSEC, NSEC3, NSEC3PARAM]
        .iter()
        .any(|rtype| asks(case, *rtype));
    if !asks_such || !one || !other {
        return false;
    }
    left.rcode = right.rcode;
    clear([left, right])
}

/// MAILB and MAILA (RFC 1035, section 3.2.3): ours says that it knows no such queries.
pub(super) fn obsolete_types(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    const NOT_IMPLEMENTED: u16 = 4;
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    let refused = left.rcode == NOT_IMPLEMENTED;
    if !refused || !(asks(case, 253) || asks(case, 254)) {
        return false;
    }
    for reply in [&mut *left, &mut *right] {
        reply.rcode = NOT_IMPLEMENTED;
        reply.flags &= !(AUTHORITATIVE | TRUNCATED);
    }
    clear([left, right])
}
