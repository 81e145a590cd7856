//! Domains that come, go and act for others.

use morgana_hal::DomId;

use super::Consequence::{self, Parted, Same};
use super::{Case, Op};
use crate::moment::Moment;
use crate::script::{Ask, NOBODY, Step};
use crate::targets::ended;

/// Whether the step, a request or not, has been done there.
fn is_done(case: &Case<'_>) -> bool {
    !matches!(case.history.step(), Step::Ask(_)) || case.theirs().is_granted()
}

/// The end of a domain that another one acts for: it stays with them, and what it owned and was allowed as well.
pub(super) fn target(case: &Case<'_>, _: &Ask, _: Op) -> Option<Consequence> {
    (is_done(case) && case.targets.lose_by(case.history.step())).then_some(Parted)
}

/// The end of a domain that owns the root: nothing is left there.
pub(super) fn root(case: &Case<'_>, _: &Ask, _: Op) -> Option<Consequence> {
    let ended = ended(case.history.step()).filter(|_| is_done(case))?;
    let owner = Moment::before(case.history.episode, case.history.number).owner("/");
    (owner == Some(ended.number())).then_some(Parted)
}

/// Requests of the toolstack about domains that are not served.
pub(super) fn unserved(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    match operation {
        Op::Release | Op::Resume if case.errors("ENOENT", "EINVAL") => Some(Same),
        Op::Resume if case.refused("EINVAL") && case.theirs().is_granted() => Some(Same),
        Op::SetTarget if case.refused("ENOENT") => Some(case.parted_if_granted()),
        _ => None,
    }
}

/// Entries of domains that have ended since are shown in permissions, and count no longer.
pub(super) fn former_entries(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let history = case.history;
    let ended: Vec<DomId> = history.episode.steps[..history.number]
        .iter()
        .filter_map(ended)
        .collect();
    let is_former = |entry: &str| {
        let number = entry.get(1..).and_then(|number| number.parse().ok());
        number.is_some_and(|number| ended.contains(&DomId::new(number)))
    };
    let mut ours = case.ours().reply.split('|').peekable();
    // Theirs has all that ours has, in the same order.
    let all_known = case.theirs().reply.split('|').all(|entry| {
        let same = ours.next_if_eq(&entry).is_some();
        same || is_former(entry)
    });
    let both = case.ours().is_granted() && case.theirs().is_granted();
    (operation == Op::GetPerms && both && all_known && ours.next().is_none()).then_some(Same)
}

/// An owner that there is not.
pub(super) fn owner(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let strings = ask.strings();
    let owner = core::str::from_utf8(strings.get(1)?.get(1..)?).ok()?;
    let is_nobody = owner.parse::<u16>().is_ok_and(|domain| domain >= NOBODY);
    let is_so = operation == Op::SetPerms && is_nobody && case.refused("ENOENT");
    is_so.then(|| case.parted_if_granted())
}
