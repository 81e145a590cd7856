//! Who hears of what. What ours tells domain 0 was checked before: see `hearing`.

use std::collections::BTreeMap;

use super::Consequence::{self, Same};
use super::{Case, Op};
use crate::history::{is_below, parent};
use crate::moment::Moment;
use crate::script::{Ask, Transaction};
use crate::transcript::{Answer, text};

/// Events of one request that come in another order.
pub(super) fn event_order(case: &Case<'_>, _: &Ask, _: Op) -> Option<Consequence> {
    let same =
        case.ours().reply == case.theirs().reply && counts(case.ours()) == counts(case.theirs());
    same.then_some(Same)
}

/// Events that tell of nothing, or twice.
pub(super) fn spurious(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let same = case.ours().reply == case.theirs().reply;
    (same && missing(case).is_empty() && all_tell_of_nothing(case, ask)).then_some(Same)
}

/// Nobody is told of a node that was there, was changed in a transaction, and went with the one above it.
pub(super) fn gone(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let same = case.ours().reply == case.theirs().reply;
    if !same || operation != Op::TransactionEnd || !all_tell_of_nothing(case, ask) {
        return None;
    }
    let (episode, number) = (case.history.episode, case.history.number);
    let (mut before, mut after) = (
        Moment::before(episode, number),
        Moment::before(episode, number + 1),
    );
    let mut missing = missing(case).into_iter();
    let is_so = missing.all(|path| before.has(&path) && !after.has(parent(&path)));
    is_so.then_some(Same)
}

/// How often each event comes.
fn counts(answer: &Answer) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for event in &answer.events {
        *counts.entry(&**event).or_default() += 1;
    }
    counts
}

/// The paths of events that ours tells, and they do not.
fn missing(case: &Case<'_>) -> Vec<String> {
    let theirs = &case.theirs().events;
    let events = case.ours().events.iter();
    events
        .filter(|event| !theirs.contains(event))
        .map(|event| path(event))
        .collect()
}

/// Whether all that ours does not tell is twice there, or tells of what was not there before the request.
fn all_tell_of_nothing(case: &Case<'_>, ask: &Ask) -> bool {
    let (ours, theirs) = (counts(case.ours()), counts(case.theirs()));
    let mut more = theirs
        .keys()
        .filter(|event| !ours.contains_key(*event))
        .peekable();
    if more.peek().is_none() {
        return true;
    }
    let history = case.history;
    let asked: Vec<&Ask> = match ask.transaction {
        Transaction::Begun(begun) => history.asked_in(begun).map(|(_, own)| own).collect(),
        _ => vec![ask],
    };
    let removed = |path: &str| {
        asked.iter().any(|ask| {
            let above = ask
                .absolute(case.cast())
                .map(|above| text(above.as_bytes()));
            let is_here = |above: String| is_below(path, &above) || path == above;
            ask.operation() == Some(Op::Rm) && above.is_some_and(is_here)
        })
    };
    let mut before = Moment::before(history.episode, history.number);
    more.all(|event| {
        let path = path(event);
        removed(&path) && !before.has(&path)
    })
}

/// The path of an event to a program of domain 0, from the root.
fn path(event: &str) -> String {
    let path = event.get(2..).and_then(|event| event.split('|').next());
    match path.unwrap_or_default() {
        path if path.starts_with('/') => path.to_owned(),
        path => format!("/local/domain/0/{path}"),
    }
}
