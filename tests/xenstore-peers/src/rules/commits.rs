//! Transactions that others have come in the way of, and their ends. What ours makes of them was checked before: see `serial`.

use super::Consequence::{self, Parted, Same};
use super::{Case, Op};
use crate::script::{Ask, Step, Transaction};

/// Ours sees the tree as it was when the transaction began, and that is checked. They see each node as it was when they first looked at it, so one
/// node may not fit another: a child may be missing in the list that it should be in.
pub(super) fn snapshot(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let begun = case.disturbed.filter(|_| ask.is_about_nodes())?;
    // What was asked in it is settled when it ends; both go on as they are until then.
    (case.ours().reply == case.history.as_of(begun, ask)).then_some(Same)
}

/// A transaction that gave permissions to a domain that has ended since: all that is left to it is to be tried again.
pub(super) fn stale(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let begun = case.disturbed.filter(|_| ask.is_about_nodes())?;
    (case.refused("EAGAIN") && case.history.is_stale(begun)).then_some(Same)
}

/// They find a conflict where ours finds none.
pub(super) fn fewer_conflicts(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let ends = case.disturbed.is_some() && operation == Op::TransactionEnd;
    (ends && case.ours().is_granted() && case.refuse("EAGAIN")).then_some(Parted)
}

/// They cannot repeat some requests, so a transaction with one of them fails if anything has changed.
pub(super) fn unrepeatable(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let history = case.history;
    let steps = &history.episode.steps[case.disturbed?..history.number];
    let mut own = steps.iter().filter_map(|step| match step {
        Step::Ask(own) if own.transaction == ask.transaction => Some(own),
        _ => None,
    });
    let fails = own.any(|own| match own.operation() {
        Some(Op::GetDomainPath | Op::Watch | Op::Unwatch) => false,
        // It has none.
        Some(Op::DirectoryPart) => true,
        _ => !own.is_about_nodes(),
    });
    fewer_conflicts(case, ask, operation).filter(|_| fails)
}

/// Ours finds a conflict with what came between, and they saw that in the transaction already.
pub(super) fn later_sight(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let ends = case.disturbed.is_some() && operation == Op::TransactionEnd;
    (ends && case.refused("EAGAIN") && case.theirs().is_granted()).then_some(Parted)
}

/// Ours refuses to commit what would overwrite others' changes; they repeat the requests, and compare the answers.
pub(super) fn repeated(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    later_sight(case, ask, operation)
}

/// A transaction in which a request met a quota is lost as a whole.
pub(super) fn failed_transaction(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let Transaction::Begun(begun) = ask.transaction else {
        return None;
    };
    let ends = operation == Op::TransactionEnd && case.is_guest(ask) && case.refuse("ENOMEM");
    let history = case.history;
    let met_quota = |(number, step): (usize, &Step)| {
        let is_own = matches!(step, Step::Ask(own) if own.transaction == ask.transaction);
        is_own && history.theirs[number].error() == Some("ENOSPC")
    };
    let steps = history.episode.steps[..history.number].iter().enumerate();
    (ends && steps.skip(begun).any(met_quota)).then_some(Parted)
}

/// A transaction that there is not, in a request that would fail anyhow.
pub(super) fn no_transaction(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let is_in_one = ask.transaction != Transaction::None;
    (is_in_one && case.refuse("EIO") && !case.ours().is_granted()).then_some(Same)
}
