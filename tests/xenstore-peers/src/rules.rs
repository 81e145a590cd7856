//! The differences that are known: each is a line of the table in docs/xenstore.md.

use morgana_xenstore_wire::Operation;

use crate::history::History;
use crate::script::{Ask, Cast, Step, Transaction};
use crate::targets::Targets;
use crate::transcript::Answer;

mod commits;
mod domains;
mod events;
mod nodes;
mod wording;

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
            Self::C if cast == Cast::Programs => {
                let wants_path = [Op::Directory, Op::GetPerms, Op::Mkdir, Op::Read, Op::Rm];
                let strings = ask.strings();
                match ask.operation() {
                    Some(Op::SetPerms) => strings
                        .first()
                        .is_some_and(|path| path.starts_with(b"@") && !SPECIAL.contains(path)),
                    Some(operation) if wants_path.contains(&operation) => {
                        strings.len() != 1 || !ask.rest().is_empty()
                    }
                    _ => false,
                }
            }
            Self::C => false,
            // It does not look at it before something else comes.
            Self::Ocaml => ask.payload.is_empty(),
        }
    }
}

/// The special events that there are.
const SPECIAL: [&[u8]; 2] = [b"@introduceDomain", b"@releaseDomain"];

/// A step, and what both made of it.
pub(crate) struct Case<'a> {
    pub(crate) peer: Peer,
    pub(crate) history: History<'a>,
    /// The step that began the transaction of a request, if others have changed the tree since.
    pub(crate) disturbed: Option<usize>,
    pub(crate) targets: &'a Targets,
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

    /// Whether a long comparison needs it.
    pub(crate) fn is_common(&self) -> bool {
        !SELDOM.contains(&self.name)
    }

    pub(crate) fn knows(&self, case: &Case<'_>) -> Option<Consequence> {
        if !self.may_fire(case.peer, case.cast()) {
            return None;
        }
        // What is no request is taken for one to the daemon itself.
        let told = Ask {
            client: 0,
            code: Op::Control.code(),
            transaction: Transaction::None,
            payload: Vec::new(),
        };
        let ask = match case.history.step() {
            Step::Ask(ask) => ask,
            _ => &told,
        };
        // An operation that there is not is as little to be asked for as this.
        let operation = ask.operation().unwrap_or(Op::Error);
        (self.applies)(case, ask, operation)
    }
}

impl Case<'_> {
    pub(crate) fn ours(&self) -> &Answer {
        &self.history.ours[self.history.number]
    }

    pub(crate) fn theirs(&self) -> &Answer {
        &self.history.theirs[self.history.number]
    }

    fn cast(&self) -> Cast {
        self.history.episode.cast
    }

    fn errors(&self, ours: &str, theirs: &str) -> bool {
        self.refused(ours) && self.refuse(theirs)
    }

    fn refused(&self, error: &str) -> bool {
        self.ours().error() == Some(error)
    }

    fn refuse(&self, error: &str) -> bool {
        self.theirs().error() == Some(error)
    }

    /// What follows where at most one of them has done something.
    fn parted_if_granted(&self) -> Consequence {
        if self.ours().is_granted() || self.theirs().is_granted() {
            Consequence::Parted
        } else {
            Consequence::Same
        }
    }

    fn is_guest(&self, ask: &Ask) -> bool {
        self.cast().domain(ask.client).is_some()
    }
}

use Operation as Op;

const C: &[Peer] = &[Peer::C];
const OCAML: &[Peer] = &[Peer::Ocaml];
const BOTH: &[Peer] = &[Peer::C, Peer::Ocaml];
const DOMAINS: &[Cast] = &[Cast::Domains];
const ANY: &[Cast] = &[Cast::Domains, Cast::Programs];

/// Those after which one has done what the other has not, even where both have answered the same.
pub(crate) const PARTINGS: &[Rule] = &[
    Rule {
        name: "target",
        peers: C,
        casts: DOMAINS,
        applies: domains::target,
    },
    Rule {
        name: "root",
        peers: C,
        casts: DOMAINS,
        applies: domains::root,
    },
];

/// What comes so seldom that a long comparison may do without it.
const SELDOM: [&str; 4] = ["former-entries", "gone", "root", "stale-transaction"];

/// Those that answers which differ may have.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "newer-operation",
        peers: BOTH,
        casts: ANY,
        applies: wording::newer,
    },
    Rule {
        name: "number",
        peers: BOTH,
        casts: ANY,
        applies: wording::number,
    },
    Rule {
        name: "long-path",
        peers: BOTH,
        casts: ANY,
        applies: wording::long,
    },
    Rule {
        name: "behind-the-last-nul",
        peers: BOTH,
        casts: ANY,
        applies: wording::reserved,
    },
    Rule {
        name: "no-payload",
        peers: BOTH,
        casts: ANY,
        applies: wording::no_payload,
    },
    Rule {
        name: "permissions-of-nothing",
        peers: C,
        casts: DOMAINS,
        applies: nodes::permissions_of_nothing,
    },
    Rule {
        name: "unwatch",
        peers: C,
        casts: ANY,
        applies: wording::unwatch,
    },
    Rule {
        name: "node-size",
        peers: C,
        casts: DOMAINS,
        applies: nodes::node_size,
    },
    Rule {
        name: "special",
        peers: C,
        casts: ANY,
        applies: nodes::special,
    },
    Rule {
        name: "event-order",
        peers: BOTH,
        casts: ANY,
        applies: events::event_order,
    },
    Rule {
        name: "snapshot",
        peers: C,
        casts: ANY,
        applies: commits::snapshot,
    },
    Rule {
        name: "former-entries",
        peers: C,
        casts: DOMAINS,
        applies: domains::former_entries,
    },
    Rule {
        name: "stale-transaction",
        peers: C,
        casts: DOMAINS,
        applies: commits::stale,
    },
    Rule {
        name: "fewer-conflicts",
        peers: C,
        casts: ANY,
        applies: commits::fewer_conflicts,
    },
    Rule {
        name: "unrepeatable",
        peers: OCAML,
        casts: ANY,
        applies: commits::unrepeatable,
    },
    Rule {
        name: "later-sight",
        peers: C,
        casts: ANY,
        applies: commits::later_sight,
    },
    Rule {
        name: "failed-transaction",
        peers: C,
        casts: DOMAINS,
        applies: commits::failed_transaction,
    },
    Rule {
        name: "permission",
        peers: BOTH,
        casts: ANY,
        applies: wording::permission,
    },
    Rule {
        name: "directory-part",
        peers: OCAML,
        casts: ANY,
        applies: wording::directory_part,
    },
    Rule {
        name: "no-transaction",
        peers: OCAML,
        casts: ANY,
        applies: commits::no_transaction,
    },
    Rule {
        name: "special-nodes",
        peers: OCAML,
        casts: ANY,
        applies: nodes::special_nodes,
    },
    Rule {
        name: "children",
        peers: OCAML,
        casts: ANY,
        applies: nodes::children,
    },
    Rule {
        name: "value-size",
        peers: OCAML,
        casts: ANY,
        applies: nodes::value_size,
    },
    Rule {
        name: "no-path",
        peers: OCAML,
        casts: ANY,
        applies: wording::no_path,
    },
    Rule {
        name: "unserved",
        peers: OCAML,
        casts: ANY,
        applies: domains::unserved,
    },
    Rule {
        name: "owner",
        peers: OCAML,
        casts: ANY,
        applies: domains::owner,
    },
    Rule {
        name: "repeated",
        peers: OCAML,
        casts: ANY,
        applies: commits::repeated,
    },
    Rule {
        name: "spurious",
        peers: OCAML,
        casts: ANY,
        applies: events::spurious,
    },
    Rule {
        name: "gone",
        peers: OCAML,
        casts: ANY,
        applies: events::gone,
    },
    Rule {
        name: "end-payload",
        peers: OCAML,
        casts: ANY,
        applies: wording::end_payload,
    },
];
