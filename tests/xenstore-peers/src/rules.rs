//! The differences that are known: each is a line of the table in docs/xenstore.md.

use morgana_xenstore_wire::{Operation, Path};

use crate::script::{Ask, Cast, Transaction};
use crate::transactions::Isolation;
use crate::transcript::Answer;

/// With whom we are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// Xen's daemon in C.
    C,
    /// Xen's daemon in OCaml.
    Ocaml,
}

impl Peer {
    /// What it cannot be asked, since nothing comes back. It is no difference of answers, so docs/xenstore.md tells of it apart.
    pub(crate) fn cannot_bear(self, cast: Cast, ask: &Ask) -> bool {
        match self {
            // It answers with the error that is left over from something before, or ends. (The shim sets that error.)
            Self::C => {
                let wants_path = [Op::Directory, Op::GetPerms, Op::Mkdir, Op::Read, Op::Rm];
                let is_one = ask.strings().len() == 1 && ask.rest().is_empty();
                let is_so = ask
                    .operation()
                    .is_some_and(|operation| wants_path.contains(&operation));
                cast == Cast::Programs && is_so && !is_one
            }
            // It does not look at it before something else comes.
            Self::Ocaml => ask.payload.is_empty(),
        }
    }
}

/// A difference.
pub(crate) struct Case<'a> {
    pub(crate) peer: Peer,
    pub(crate) cast: Cast,
    /// The request, if it was one.
    pub(crate) ask: Option<&'a Ask>,
    pub(crate) ours: &'a Answer,
    pub(crate) theirs: &'a Answer,
    pub(crate) isolation: Isolation,
}

/// What a difference does to the rest of the episode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Consequence {
    /// Both daemons are as they were, or changed in the same way.
    Same,
    /// One has done what the other has not.
    Parted,
}

/// A difference that is known.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) peers: &'static [Peer],
    pub(crate) casts: &'static [Cast],
    /// Whether it is this one, and what follows.
    pub(crate) applies: fn(&Case<'_>, &Ask, Operation) -> Option<Consequence>,
}

impl Rule {
    pub(crate) fn may_fire(&self, peer: Peer, cast: Cast) -> bool {
        self.peers.contains(&peer) && self.casts.contains(&cast)
    }

    pub(crate) fn knows(&self, case: &Case<'_>) -> Option<Consequence> {
        if !self.may_fire(case.peer, case.cast) {
            return None;
        }
        // What is no request is taken for one to the daemon itself.
        let told = Ask {
            client: 0,
            code: Op::Control.code(),
            transaction: Transaction::None,
            payload: Vec::new(),
        };
        let ask = case.ask.unwrap_or(&told);
        // An operation that there is not is as little to be asked for as this.
        let operation = ask.operation().unwrap_or(Op::Error);
        (self.applies)(case, ask, operation)
    }
}

impl Ask {
    pub(crate) fn operation(&self) -> Option<Operation> {
        Operation::from_code(self.code)
    }

    /// The strings of the payload that are ended by a NUL.
    fn strings(&self) -> Vec<&[u8]> {
        let mut strings: Vec<&[u8]> = self.payload.split(|&byte| byte == 0).collect();
        strings.pop();
        strings
    }

    /// What is behind the last NUL.
    fn rest(&self) -> &[u8] {
        self.payload
            .rsplit(|&byte| byte == 0)
            .next()
            .unwrap_or_default()
    }
}

impl Case<'_> {
    fn errors(&self, ours: &str, theirs: &str) -> bool {
        self.ours.error() == Some(ours) && self.theirs.error() == Some(theirs)
    }

    fn refused(&self, error: &str) -> bool {
        self.ours.error() == Some(error)
    }

    fn refuse(&self, error: &str) -> bool {
        self.theirs.error() == Some(error)
    }

    /// What follows where at most one of them has done something.
    fn parted_if_granted(&self) -> Consequence {
        if self.ours.is_granted() || self.theirs.is_granted() {
            Parted
        } else {
            Same
        }
    }

    fn is_guest(&self, ask: &Ask) -> bool {
        self.cast.domain(ask.client).is_some()
    }
}

use Consequence::{Parted, Same};
use Operation as Op;

const C: &[Peer] = &[Peer::C];
const OCAML: &[Peer] = &[Peer::Ocaml];
const BOTH: &[Peer] = &[Peer::C, Peer::Ocaml];
const DOMAINS: &[Cast] = &[Cast::Domains];
const ANY: &[Cast] = &[Cast::Domains, Cast::Programs];

/// What xenstore.txt has since Xen 4.18 or later.
fn newer(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let newer = [Op::GetFeature, Op::SetFeature, Op::GetQuota, Op::SetQuota];
    (newer.contains(&operation) && case.refuse("ENOSYS")).then_some(Same)
}

/// A number that is none: they read it as C's atoi does.
fn number(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let strings = ask.strings();
    let numbers = match operation {
        Op::GetDomainPath | Op::IsDomainIntroduced | Op::Release | Op::Resume | Op::SetTarget => {
            &strings[..]
        }
        Op::DirectoryPart => strings.get(1..)?,
        _ => return None,
    };
    let is_number = |text: &str| !text.starts_with('+') && text.parse::<u16>().is_ok();
    let bad = numbers
        .iter()
        .any(|number| !core::str::from_utf8(number).is_ok_and(is_number));
    if !bad || !case.refused("EINVAL") {
        return None;
    }
    match operation {
        Op::SetTarget | Op::Resume | Op::Release => Some(case.parted_if_granted()),
        _ => Some(Same),
    }
}

/// The longest path.
fn long(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let path = *ask.strings().first()?;
    // oxenstored takes any path of a watch.
    let watched = case.peer == Peer::Ocaml && case.refused("EINVAL");
    let is_so = path.len() > 2000 && (case.refuse("EINVAL") || watched);
    is_so.then(|| case.parted_if_granted())
}

/// Bytes behind the last string that have no NUL.
fn reserved(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let has_reserved = [
        Op::SetPerms,
        Op::SetTarget,
        Op::Watch,
        Op::Unwatch,
        Op::Introduce,
        Op::DirectoryPart,
    ];
    // oxenstored does not look for the last NUL anywhere.
    let lenient = case.peer == Peer::Ocaml || has_reserved.contains(&operation);
    let is_so = lenient && !ask.rest().is_empty() && case.refused("EINVAL");
    is_so.then(|| case.parted_if_granted())
}

/// What is in the payload of a request that has none.
fn no_payload(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let has_none = [Op::TransactionStart, Op::ResetWatches];
    (has_none.contains(&operation) && case.refused("EINVAL")).then_some(Parted)
}

/// A guest asks to set the permissions of a node that there is not.
fn permissions_of_nothing(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_so = operation == Op::SetPerms && case.is_guest(ask);
    (is_so && case.errors("EACCES", "ENOENT")).then_some(Same)
}

/// A permission that is none.
fn permission(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    (operation == Op::SetPerms && case.refused("EINVAL")).then(|| case.parted_if_granted())
}

/// A transaction that others have come in the way of: ours sees the tree as it was when it began.
fn snapshot(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    // What was asked in it is settled when it ends; both go on as they are until then.
    (case.isolation == Isolation::Disturbed && operation != Op::TransactionEnd).then_some(Same)
}

/// They find a conflict where ours finds none.
fn fewer_conflicts(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let ends = case.isolation == Isolation::Disturbed && operation == Op::TransactionEnd;
    (ends && case.ours.is_granted() && case.refuse("EAGAIN")).then_some(Parted)
}

/// Ours finds a conflict with what came between, and they saw that in the transaction already.
fn later_sight(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let ends = case.isolation == Isolation::Disturbed && operation == Op::TransactionEnd;
    (ends && case.refused("EAGAIN") && case.theirs.is_granted()).then_some(Parted)
}

/// A transaction in which a request met a quota is lost as a whole.
fn failed_transaction(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_so = operation == Op::TransactionEnd && case.is_guest(ask) && case.refuse("ENOMEM");
    is_so.then_some(Parted)
}

/// Events of one request that come in another order.
fn event_order(case: &Case<'_>, _: &Ask, _: Op) -> Option<Consequence> {
    let sorted = |answer: &Answer| {
        let mut events = answer.events.clone();
        events.sort();
        events
    };
    let same = case.ours.reply == case.theirs.reply && sorted(case.ours) == sorted(case.theirs);
    same.then_some(Same)
}

/// To watch no longer what is no path.
fn unwatch(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    (operation == Op::Unwatch && case.errors("EINVAL", "ENOENT")).then_some(Same)
}

/// A node that is too large with the names of its children and its permissions.
fn node_size(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let grows = [Op::Write, Op::Mkdir, Op::SetPerms].contains(&operation);
    let is_so = grows && case.is_guest(ask) && case.refuse("ENOSPC");
    (is_so && case.ours.is_granted()).then_some(Parted)
}

/// The permissions of special events, which can be set but not read.
fn special(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_so = ask.payload.starts_with(b"@") && case.refuse("EINVAL");
    let asked = [Op::GetPerms, Op::SetPerms].contains(&operation);
    let denied = case.refused("EACCES") || operation == Op::GetPerms;
    (is_so && asked && denied).then_some(Same)
}

/// oxenstored 4.17 has no `DIRECTORY_PART`.
fn directory_part(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    (operation == Op::DirectoryPart && case.refuse("ENOSYS")).then_some(Same)
}

/// A transaction that there is not, in a request that would fail anyhow.
fn no_transaction(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let is_in_one = ask.transaction != Transaction::None;
    (is_in_one && case.refuse("EIO") && !case.ours.is_granted()).then_some(Same)
}

/// Special events are nodes of the tree there.
fn special_nodes(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    ask.payload
        .starts_with(b"@")
        .then(|| case.parted_if_granted())
}

/// The names of children are sorted there, and special events are among those of the root.
fn children(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let names = |answer: &Answer| {
        let mut names: Vec<String> = answer.reply.split('|').map(str::to_owned).collect();
        if let Some(first) = names.first_mut() {
            *first = first.trim_start_matches("= ").to_owned();
        }
        names.retain(|name| !name.starts_with('@'));
        names.sort();
        names
    };
    let both = case.ours.is_granted() && case.theirs.is_granted();
    let same = operation == Op::Directory && both && names(case.ours) == names(case.theirs);
    same.then_some(Same)
}

/// The limit of a value holds for domain 0 there, too, and has another name.
fn value_size(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_so = operation == Op::Write && ask.payload.len() > 2000 && case.refuse("E2BIG");
    is_so.then(|| case.parted_if_granted())
}

/// What is no path, or one of a special event where none is wanted.
fn no_path(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let strings = ask.strings();
    let path = core::str::from_utf8(strings.first()?).ok();
    let is_path = path.is_some_and(|path| Path::parse(path).is_ok());
    (!is_path && case.refused("EINVAL") && !case.theirs.is_granted()).then_some(Same)
}

/// Requests of the toolstack about domains that are not served.
fn unserved(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    match operation {
        Op::Release | Op::Resume if case.errors("ENOENT", "EINVAL") => Some(Same),
        Op::Resume if case.refused("EINVAL") && case.theirs.is_granted() => Some(Same),
        Op::SetTarget if case.refused("ENOENT") => Some(case.parted_if_granted()),
        _ => None,
    }
}

/// An owner that there is not.
fn owner(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    (operation == Op::SetPerms && case.refused("ENOENT")).then(|| case.parted_if_granted())
}

/// Ours refuses to commit what would overwrite others' changes; they repeat the requests, and compare the answers.
fn repeated(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let ends = case.isolation == Isolation::Disturbed && operation == Op::TransactionEnd;
    let go_on = case.theirs.is_granted() || case.refuse("EINVAL");
    (ends && case.refused("EAGAIN") && go_on).then_some(Parted)
}

/// Events that tell of nothing, or twice.
fn spurious(case: &Case<'_>, _: &Ask, _: Op) -> Option<Consequence> {
    let told = |event: &String| case.theirs.events.contains(event);
    let same = case.ours.reply == case.theirs.reply && case.ours.events.iter().all(told);
    same.then_some(Same)
}

/// The end of a transaction with more or less than `T` or `F` and a NUL.
fn end_payload(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_known = [&b"T\0"[..], b"F\0"].contains(&&ask.payload[..]);
    let is_so = operation == Op::TransactionEnd && !is_known && case.refused("EINVAL");
    is_so.then(|| case.parted_if_granted())
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "newer-operation",
        peers: BOTH,
        casts: ANY,
        applies: newer,
    },
    Rule {
        name: "number",
        peers: BOTH,
        casts: ANY,
        applies: number,
    },
    Rule {
        name: "long-path",
        peers: BOTH,
        casts: ANY,
        applies: long,
    },
    Rule {
        name: "behind-the-last-nul",
        peers: BOTH,
        casts: ANY,
        applies: reserved,
    },
    Rule {
        name: "no-payload",
        peers: BOTH,
        casts: ANY,
        applies: no_payload,
    },
    Rule {
        name: "permissions-of-nothing",
        peers: C,
        casts: DOMAINS,
        applies: permissions_of_nothing,
    },
    Rule {
        name: "unwatch",
        peers: C,
        casts: ANY,
        applies: unwatch,
    },
    Rule {
        name: "node-size",
        peers: C,
        casts: DOMAINS,
        applies: node_size,
    },
    Rule {
        name: "special",
        peers: C,
        casts: ANY,
        applies: special,
    },
    Rule {
        name: "event-order",
        peers: BOTH,
        casts: ANY,
        applies: event_order,
    },
    Rule {
        name: "snapshot",
        peers: C,
        casts: ANY,
        applies: snapshot,
    },
    Rule {
        name: "fewer-conflicts",
        peers: BOTH,
        casts: ANY,
        applies: fewer_conflicts,
    },
    Rule {
        name: "later-sight",
        peers: C,
        casts: ANY,
        applies: later_sight,
    },
    Rule {
        name: "failed-transaction",
        peers: C,
        casts: DOMAINS,
        applies: failed_transaction,
    },
    Rule {
        name: "permission",
        peers: BOTH,
        casts: ANY,
        applies: permission,
    },
    Rule {
        name: "directory-part",
        peers: OCAML,
        casts: ANY,
        applies: directory_part,
    },
    Rule {
        name: "no-transaction",
        peers: OCAML,
        casts: ANY,
        applies: no_transaction,
    },
    Rule {
        name: "special-nodes",
        peers: OCAML,
        casts: ANY,
        applies: special_nodes,
    },
    Rule {
        name: "children",
        peers: OCAML,
        casts: ANY,
        applies: children,
    },
    Rule {
        name: "value-size",
        peers: OCAML,
        casts: ANY,
        applies: value_size,
    },
    Rule {
        name: "no-path",
        peers: OCAML,
        casts: ANY,
        applies: no_path,
    },
    Rule {
        name: "unserved",
        peers: OCAML,
        casts: ANY,
        applies: unserved,
    },
    Rule {
        name: "owner",
        peers: OCAML,
        casts: ANY,
        applies: owner,
    },
    Rule {
        name: "repeated",
        peers: OCAML,
        casts: ANY,
        applies: repeated,
    },
    Rule {
        name: "spurious",
        peers: OCAML,
        casts: ANY,
        applies: spurious,
    },
    Rule {
        name: "end-payload",
        peers: OCAML,
        casts: ANY,
        applies: end_payload,
    },
];
