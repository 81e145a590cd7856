//! Nodes: what they may hold, and how they are listed.

use super::Consequence::{self, Parted, Same};
use super::{Case, Op};
use crate::history::down_to;
use crate::moment::{Moment, Sight};
use crate::script::{Ask, Transaction};
use crate::transcript::Answer;

/// `node-size`, by default.
const NODE_SIZE: usize = 2048;

/// A guest asks to set the permissions of a node that there is not.
pub(super) fn permissions_of_nothing(
    case: &Case<'_>,
    ask: &Ask,
    operation: Op,
) -> Option<Consequence> {
    let is_so = operation == Op::SetPerms && case.is_guest(ask);
    (is_so && case.errors("EACCES", "ENOENT")).then_some(Same)
}

/// A node that is too large with the names of its children and its permissions.
pub(super) fn node_size(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let grows = [Op::Write, Op::Mkdir, Op::SetPerms].contains(&operation);
    let is_so = grows && case.is_guest(ask) && case.refuse("ENOSPC") && case.ours().is_granted();
    if !is_so || ask.payload.len() > NODE_SIZE + ask.strings().first()?.len() + 1 {
        return None;
    }
    let mut moment = Moment::before(case.history.episode, case.history.number);
    if let Transaction::Begun(begun) = ask.transaction {
        for (_, own) in case.history.asked_in(begun) {
            moment.repeat(own);
        }
    }
    moment.repeat(ask);
    let path = ask.absolute(case.cast())?;
    let sights = down_to(&path);
    let mut sights = sights.iter().filter_map(|path| moment.sight(path));
    sights
        .any(|sight| size(&sight) > NODE_SIZE)
        .then_some(Parted)
}

/// What counts in C: the record in its data base, which has a head, 8 bytes a permission, the value and the children's names.
fn size(sight: &Sight) -> usize {
    const HEAD: usize = 24;
    let permissions = sight.permissions.matches('|').count();
    HEAD + 8 * permissions + sight.value.len() + sight.children.len()
}

/// The permissions of special events, which can be set but not read.
pub(super) fn special(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_so = ask.payload.starts_with(b"@") && case.refuse("EINVAL");
    let asked = [Op::GetPerms, Op::SetPerms].contains(&operation);
    let denied = case.refused("EACCES") || operation == Op::GetPerms;
    (is_so && asked && denied).then_some(Same)
}

/// Special events are nodes of the tree there.
pub(super) fn special_nodes(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let is_so = ask.is_about_nodes() && ask.payload.starts_with(b"@");
    is_so.then(|| case.parted_if_granted())
}

/// The names of children are sorted there, and special events are among those of the root.
pub(super) fn children(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let names = |answer: &Answer| {
        let mut names: Vec<String> = answer.reply.split('|').map(str::to_owned).collect();
        if let Some(first) = names.first_mut() {
            *first = first.trim_start_matches("= ").to_owned();
        }
        names.retain(|name| !name.starts_with('@'));
        names.sort();
        names
    };
    let both = case.ours().is_granted() && case.theirs().is_granted();
    let same = operation == Op::Directory && both && names(case.ours()) == names(case.theirs());
    same.then_some(Same)
}

/// The limit of a value holds for domain 0 there, too, and has another name.
pub(super) fn value_size(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let value = ask.payload.len() - ask.strings().first()?.len() - 1;
    let is_so = operation == Op::Write && value > NODE_SIZE && case.refuse("E2BIG");
    is_so.then(|| case.parted_if_granted())
}
