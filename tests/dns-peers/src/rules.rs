//! Differences between servers that the RFCs allow, each with the clause that does.

mod content;
mod message;
mod proof;

use std::fmt;

use crate::name;
use crate::queries::Case;
use crate::reply::Reply;
use crate::world::World;

/// Which two servers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    /// Two that others wrote: it proves the generator and the comparison.
    KnotAndNsd,
    /// Ours and NSD.
    OursAndNsd,
    /// Ours and Knot.
    OursAndKnot,
}

impl Pair {
    pub(crate) fn names(self) -> [&'static str; 2] {
        match self {
            Self::KnotAndNsd => ["Knot", "NSD"],
            Self::OursAndNsd => ["ours", "NSD"],
            Self::OursAndKnot => ["ours", "Knot"],
        }
    }
}

/// What a server did.
#[derive(Clone, Debug)]
pub(crate) enum Side {
    Silent,
    /// It is no message, and why.
    Broken(String),
    Reply(Box<Reply>),
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("  no answer"),
            Self::Broken(why) => write!(f, "  not a message: {why}"),
            Self::Reply(reply) => reply.fmt(f),
        }
    }
}

/// An explained difference.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) clause: &'static str,
    pairs: &'static [Pair],
    /// Takes out of both what the rule explains. False if it explains nothing.
    pub(crate) explain: fn(&World, &Case, &mut Side, &mut Side) -> bool,
}

/// The rules for a pair.
pub(crate) fn rules(pair: Pair) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.pairs.contains(&pair))
}

/// Both sides, if both answered.
fn replies<'a>(left: &'a mut Side, right: &'a mut Side) -> Option<[&'a mut Reply; 2]> {
    match (left, right) {
        (Side::Reply(left), Side::Reply(right)) => Some([left, right]),
        _ => None,
    }
}

/// The name that was asked for, and those to which its aliases lead.
fn names_on_the_way(left: &Reply, right: &Reply, asked: &str) -> Vec<String> {
    const CNAME: u16 = 5;
    let sections = [left, right].into_iter().map(|reply| &reply.sections[0]);
    let aliases = sections.flatten().filter(|(key, _)| key.2 == CNAME);
    let targets = aliases.flat_map(|(_, set)| set.data.iter().map(|target| name::text(target)));
    targets.chain([asked.to_owned()]).collect()
}

/// The wildcards that could make a name, all of it as labels.
fn wildcards_above(labels: &[Vec<u8>]) -> impl Iterator<Item = Vec<Vec<u8>>> {
    (1..=labels.len()).map(|skip| {
        let mut wildcard = vec![b"*".to_vec()];
        wildcard.extend_from_slice(&labels[skip..]);
        wildcard
    })
}

const ALL: &[Pair] = &[Pair::KnotAndNsd, Pair::OursAndNsd, Pair::OursAndKnot];

const NSD: &[Pair] = &[Pair::KnotAndNsd, Pair::OursAndNsd];
const OURS: &[Pair] = &[Pair::OursAndNsd, Pair::OursAndKnot];

/// The table. What takes most away stands last.
const RULES: &[Rule] = &[
    Rule {
        name: "extended errors",
        clause: "RFC 8914, section 2: the option may be in any answer",
        pairs: ALL,
        explain: message::extended_errors,
    },
    Rule {
        name: "no question with an error",
        clause: "RFC 1035, section 4.1.2: QDCOUNT is usually, not always, one",
        pairs: NSD,
        explain: message::no_question,
    },
    Rule {
        name: "CD",
        clause: "RFC 4035, section 3: it is copied; nobody may rely on it in an answer that has no recursion (section 3.2.2)",
        pairs: ALL,
        explain: message::checking_disabled,
    },
    Rule {
        name: "DO with a wrong version",
        clause: "RFC 6891, section 6.1.3: all that BADVERS tells is the version",
        pairs: NSD,
        explain: message::bad_version,
    },
    Rule {
        name: "obsolete types",
        clause: "RFC 1035, section 4.1.1: NOTIMP where a kind of query is not supported, as those for MAILB and MAILA (section 3.2.3)",
        pairs: OURS,
        explain: content::obsolete_types,
    },
    Rule {
        name: "truncated",
        clause: "RFC 2181, section 9: what is in a truncated answer means nothing",
        pairs: ALL,
        explain: message::truncated,
    },
    Rule {
        name: "class ANY",
        clause: "RFC 1035, section 6.2: the answer can never be authoritative, unless the server knows all classes",
        pairs: &[Pair::KnotAndNsd],
        explain: message::class_any,
    },
    Rule {
        name: "an alias twice",
        clause: "RFC 2181, section 5: no record is in an RRset twice; it is so where a wildcard leads to a name for which it stands itself",
        pairs: OURS,
        explain: content::twice,
    },
    Rule {
        name: "class ANY refused",
        clause: "RFC 1035, section 4.1.1: REFUSED for reasons of policy",
        pairs: OURS,
        explain: message::class_any_refused,
    },
    Rule {
        name: "DS in an unsigned zone",
        clause: "RFC 4035, section 3.1.4.1: the DS RRset if there is one; but in such a zone it proves nothing (section 2.4)",
        pairs: ALL,
        explain: content::unsigned_ds,
    },
    Rule {
        name: "which set for ANY",
        clause: "RFC 8482, section 4.1: one RRset of the name, or some",
        pairs: ALL,
        explain: content::any_subset,
    },
    Rule {
        name: "which signatures for RRSIG",
        clause: "RFC 4035, section 2.2: those of a name form no RRset, of which all belong together",
        pairs: ALL,
        explain: content::signatures,
    },
    Rule {
        name: "additional records",
        clause: "RFC 1034, section 4.3.2, step 6: what else may be useful; only glue below the cut must be there (RFC 9471, section 3)",
        pairs: ALL,
        explain: content::additional,
    },
    Rule {
        name: "glue without room",
        clause: "RFC 9471, section 3, asks for all glue or TC; older servers leave glue out (RFC 2181, section 9)",
        pairs: NSD,
        explain: content::no_room,
    },
    Rule {
        name: "more proof than needed",
        clause: "RFC 4035, section 3.1.3, and RFC 5155, section 7.2: what must be there, not what must not",
        pairs: ALL,
        explain: proof::needless,
    },
    Rule {
        name: "not the NSEC record that denies a wildcard",
        clause: "RFC 4035, section 3.1.3.2: NSD takes another one where an empty non-terminal sorts before the wildcard",
        pairs: NSD,
        explain: proof::wrong_wildcard,
    },
    Rule {
        name: "below an empty non-terminal without NSEC3",
        clause: "RFC 5155, section 7.2.1, asks for the closest provable encloser, which is above it: NSD leaves that out, and Knot all proof",
        pairs: ALL,
        explain: proof::unproven,
    },
    Rule {
        name: "names of other zones",
        clause: "RFC 1034, section 4.2.1: a zone has its own names only; NSD takes those of zones above and below for empty non-terminals",
        pairs: NSD,
        explain: content::foreign_names,
    },
    Rule {
        name: "end of a chain",
        clause: "RFC 1034, section 4.3.2, step 3a: restarts at the target; RFC 2308, section 2.1: whoever asks does so for the rest",
        pairs: ALL,
        explain: content::end_of_chain,
    },
    Rule {
        name: "types that may stand beside an alias",
        clause: "RFC 4034, sections 3 and 4: RRSIG and NSEC may, so an alias says nothing about where else they are",
        pairs: ALL,
        explain: content::beside_alias,
    },
];
