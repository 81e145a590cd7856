//! Differences in the header, the question, and EDNS.

use super::{Side, replies};
use crate::queries::{Case, Transport};
use crate::reply::{AUTHORITATIVE, CHECKING_DISABLED, Reply, TRUNCATED};
use crate::world::World;

/// The code of the option (RFC 8914, section 5.1).
const EXTENDED_ERROR: u16 = 15;
/// BADVERS (RFC 6891, section 9).
const BAD_VERSION: u16 = 16;
const CNAME: u16 = 5;
/// QCLASS *, RFC 1035, section 3.2.5.
const CLASS_ANY: u16 = 255;

pub(super) fn extended_errors(_: &World, _: &Case, left: &mut Side, right: &mut Side) -> bool {
    let mut found = false;
    for reply in replies(left, right).into_iter().flatten() {
        if let Some(edns) = &mut reply.edns {
            let before = edns.options.len();
            edns.options.retain(|(code, _)| *code != EXTENDED_ERROR);
            found |= edns.options.len() < before;
        }
    }
    found
}

pub(super) fn no_question(_: &World, _: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    if left.rcode == 0 || left.question.is_empty() == right.question.is_empty() {
        return false;
    }
    left.question.clear();
    right.question.clear();
    true
}

pub(super) fn bad_version(_: &World, _: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    if [left.rcode, right.rcode] != [BAD_VERSION; 2] {
        return false;
    }
    for reply in [left, right] {
        if let Some(edns) = &mut reply.edns {
            edns.flags = 0;
        }
    }
    true
}

/// One copies the bit and the other one does not.
pub(super) fn checking_disabled(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    let asked = case
        .message
        .get(3)
        .is_some_and(|flags| u16::from(*flags) & CHECKING_DISABLED != 0);
    if !asked || left.has(CHECKING_DISABLED) == right.has(CHECKING_DISABLED) {
        return false;
    }
    left.flags &= !CHECKING_DISABLED;
    right.flags &= !CHECKING_DISABLED;
    true
}

/// One that is truncated tells no more than that, and the other one, if it is not, had less to say or less room for its names.
pub(super) fn truncated(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    if case.transport == Transport::Tcp || !(left.has(TRUNCATED) || right.has(TRUNCATED)) {
        return false;
    }
    // How far a chain was followed may differ, too, and ours does not show it.
    let may_be_chain = |reply: &Reply| {
        let mut keys = reply.sections[0].keys();
        keys.len() == 0 || keys.any(|key| key.2 == CNAME)
    };
    if may_be_chain(left) || may_be_chain(right) {
        left.rcode = right.rcode;
    }
    for reply in [left, right] {
        reply.flags &= !(TRUNCATED | AUTHORITATIVE);
        reply.sections = Default::default();
    }
    true
}

pub(super) fn class_any(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    let asks = case
        .asked
        .as_ref()
        .is_some_and(|asked| asked.class == CLASS_ANY);
    let Some([left, right]) = replies(left, right) else {
        return false;
    };
    if !asks || left.has(AUTHORITATIVE) == right.has(AUTHORITATIVE) {
        return false;
    }
    for reply in [left, right] {
        reply.flags &= !AUTHORITATIVE;
        reply.sections[1].clear();
    }
    true
}

/// Ours refuses what the other one answers.
pub(super) fn class_any_refused(_: &World, case: &Case, left: &mut Side, right: &mut Side) -> bool {
    const REFUSED: u16 = 5;
    let asks = case
        .asked
        .as_ref()
        .is_some_and(|asked| asked.class == CLASS_ANY);
    let Some([ours, theirs]) = replies(left, right) else {
        return false;
    };
    if !asks || ours.rcode != REFUSED {
        return false;
    }
    theirs.rcode = REFUSED;
    theirs.flags &= !(AUTHORITATIVE | TRUNCATED);
    theirs.sections = Default::default();
    true
}
