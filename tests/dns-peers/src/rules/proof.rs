//! Differences in what proves that something is not there.

use super::{Side, names_on_the_way, replies, wildcards_above};
use crate::name;
use crate::queries::Case;
use crate::reply::{AUTHORITATIVE, Section};
use crate::world::World;

const NSEC: u16 = 47;
const NSEC3: u16 = 50;

/// One has all that the other one has, and more NSEC or NSEC3 records.
pub(super) fn needless(_: &World, _: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    let [one, other] = [&left.sections[1], &right.sections[1]];
    if !is_part(one, other) && !is_part(other, one) {
        return false;
    }
    let both = |section: &Section, other: &Section| -> Section {
        let common = section.iter().filter(|(key, _)| {
            let proves = [key.2, key.3]
                .iter()
                .any(|rtype| [NSEC, NSEC3].contains(rtype));
            !proves || other.contains_key(*key)
        });
        common
            .map(|(key, set)| (key.clone(), set.clone()))
            .collect()
    };
    let [one, other] = [both(one, other), both(other, one)];
    let changed = one != left.sections[1] || other != right.sections[1];
    left.sections[1] = one;
    right.sections[1] = other;
    changed
}

fn is_part(small: &Section, large: &Section) -> bool {
    small.iter().all(|(key, set)| large.get(key) == Some(set))
}

/// Each has one NSEC record that the other one has not, and that of NSD, on the right, denies no wildcard above the name.
pub(super) fn wrong_wildcard(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let (Some([left, right]), Some(asked)) = (replies(left, right), &case.asked) else {
        return false;
    };
    let wildcards: Vec<_> = wildcards_above(&name::labels(&asked.name)).collect();
    let denies = |section: &Section, other: &Section| {
        let mut sets = section
            .iter()
            .filter(|(key, _)| key.2 == NSEC && !other.contains_key(*key));
        let (Some((key, set)), None) = (sets.next(), sets.next()) else {
            return None;
        };
        let next = set.data.first()?;
        Some(
            wildcards
                .iter()
                .any(|wildcard| covers(&key.0, next, wildcard)),
        )
    };
    let [one, other] = [&left.sections[1], &right.sections[1]];
    let denying = [denies(one, other), denies(other, one)];
    let explained = matches!(
        denying,
        [Some(true), Some(false)] | [Some(false), Some(true)]
    );
    if !explained || left.rcode != right.rcode {
        return false;
    }
    for reply in [left, right] {
        reply.sections[1].retain(|key, _| key.2 != NSEC && key.3 != NSEC);
    }
    true
}

/// The name, or the end of a chain, is an empty non-terminal that has no NSEC3 record, or below one.
pub(super) fn unproven(world: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let (Some([left, right]), Some(asked)) = (replies(left, right), &case.asked) else {
        return false;
    };
    let names = names_on_the_way(left, right, &asked.name);
    let meets = |name: &String| {
        world.zone_of(name).is_some_and(|zone| {
            let mut unproven = zone.unproven().iter();
            unproven.any(|empty| name::is_within(name, empty))
        })
    };
    let same = left.rcode == right.rcode && left.sections[0] == right.sections[0];
    if !same || !names.iter().any(meets) || !case.wants_proof() {
        return false;
    }
    for reply in [left, right] {
        reply.flags &= !AUTHORITATIVE;
        reply.sections[1].clear();
    }
    true
}

/// Whether the NSEC record of `owner` denies a name. `data` begins with the next owner's name.
fn covers(owner: &[u8], data: &[u8], name: &[Vec<u8>]) -> bool {
    let owner = canonical(&name::labels(&name::text(owner)));
    let next = canonical(&name::labels(&name::text(data)));
    let name = canonical(name);
    // The last one leads back to the apex, which is above all names of the zone.
    owner < name && (name < next || next <= owner)
}

/// What sorts as names do in canonical order (RFC 4034, section 6.1).
fn canonical(labels: &[Vec<u8>]) -> Vec<Vec<u8>> {
    labels
        .iter()
        .rev()
        .map(|label| label.to_ascii_lowercase())
        .collect()
}
