//! What two daemons made of the same episode.

use std::collections::BTreeMap;
use std::fmt;

use crate::rules::{Case, Consequence, Peer, RULES};
use crate::script::{Ask, Cast, Episode, Step, Transaction};
use crate::transactions::Transactions;
use crate::transcript::{Answer, text};

/// The comparison of ours with one of Xen's, over many episodes.
#[derive(Debug)]
pub struct Comparison {
    peer: Peer,
    requests: u64,
    fired: BTreeMap<&'static str, u64>,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} requests compared;", self.peer, self.requests)?;
        for (rule, count) in &self.fired {
            write!(f, " {rule} {count}")?;
        }
        Ok(())
    }
}

/// A difference that no rule knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    text: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for Difference {}

impl Comparison {
    /// Nothing compared yet.
    pub fn new(peer: Peer) -> Self {
        Self {
            peer,
            requests: 0,
            fired: BTreeMap::new(),
        }
    }

    /// How many requests were compared.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Compares what both made of an episode. What follows a difference that makes both trees differ is not looked at.
    ///
    /// # Errors
    ///
    /// A difference that no rule knows.
    pub fn episode(
        &mut self,
        seed: u64,
        episode: &Episode,
        ours: &[Answer],
        theirs: &[Answer],
    ) -> Result<(), Difference> {
        let mut transactions = Transactions::default();
        for (number, step) in episode.steps.iter().enumerate() {
            let (Some(ours), Some(theirs)) = (ours.get(number), theirs.get(number)) else {
                let text = format!("seed {seed}: an answer to step {number} is missing");
                return Err(Difference { text });
            };
            if let Step::Ask(_) = step {
                self.requests += 1;
            }
            if ours == theirs {
                if transactions.part(step, ours) {
                    return Ok(());
                }
                transactions.note(number, step, [ours, theirs]);
                continue;
            }
            let case = Case {
                peer: self.peer,
                cast: episode.cast,
                ask: match step {
                    Step::Ask(ask) => Some(ask),
                    _ => None,
                },
                ours,
                theirs,
                isolation: transactions.isolation(step),
            };
            let known = RULES
                .iter()
                .find_map(|rule| Some((rule, rule.knows(&case)?)));
            let Some((rule, consequence)) = known else {
                let text = self.explain(seed, episode, number, ours, theirs);
                return Err(Difference { text });
            };
            *self.fired.entry(rule.name).or_default() += 1;
            if consequence == Consequence::Parted {
                return Ok(());
            }
            transactions.differs(step);
            transactions.note(number, step, [ours, theirs]);
        }
        Ok(())
    }

    /// The rules for such clients that were never needed: they belong in the list no longer.
    pub fn idle_rules(&self, cast: Cast) -> impl Iterator<Item = &'static str> {
        let mine = RULES
            .iter()
            .filter(move |rule| rule.may_fire(self.peer, cast));
        mine.map(|rule| rule.name)
            .filter(|name| !self.fired.contains_key(name))
    }

    fn explain(
        &self,
        seed: u64,
        episode: &Episode,
        number: usize,
        ours: &Answer,
        theirs: &Answer,
    ) -> String {
        const BEFORE: usize = 200;
        let mut told = format!("seed {seed}, step {number}, against {:?}:\n", self.peer);
        for (at, step) in episode.steps[..=number].iter().enumerate() {
            if number - at <= BEFORE {
                told += &format!("  {at}: {step}\n");
            }
        }
        told += &format!("  ours:   {ours}\n  theirs: {theirs}\n");
        told
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(ask) => write!(f, "{ask}"),
            Self::Anew { client } => write!(f, "client {client} connects anew"),
            Self::TooLong { client } => {
                write!(f, "client {client} sends too much and connects anew")
            }
            Self::Domain { domain, life } => write!(f, "domain {}: {life:?}", domain.number()),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.client)?;
        match self.transaction {
            Transaction::None => {}
            Transaction::Begun(step) => write!(f, " in transaction of {step}")?,
            Transaction::Unknown(_) => write!(f, " in no transaction")?,
        }
        match self.operation() {
            Some(operation) => write!(f, " {operation:?}")?,
            None => write!(f, " operation {}", self.code)?,
        }
        write!(f, " {}", text(&self.payload))
    }
}
