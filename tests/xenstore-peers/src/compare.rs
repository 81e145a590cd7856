//! What two daemons made of the same episode.

use std::collections::BTreeMap;
use std::fmt;

use crate::hearing::Watches;
use crate::history::History;
use crate::rules::{Case, Consequence, PARTINGS, Peer, RULES};
use crate::script::{Ask, Cast, Episode, Step, Transaction};
use crate::targets::Targets;
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
        let mut known = Known::default();
        let answered = ours.len().min(theirs.len());
        for (number, step) in episode.steps.iter().enumerate() {
            if number >= answered {
                let text = format!("seed {seed}: an answer to step {number} is missing");
                return Err(Difference { text });
            }
            let history = History {
                episode,
                ours,
                theirs,
                number,
            };
            if let Step::Ask(_) = step {
                self.requests += 1;
            }
            let sound = known.check(history);
            sound.map_err(|wrong| self.explain(seed, history, &wrong))?;
            if self
                .step(history, &mut known)
                .map_err(|()| self.explain(seed, history, ""))?
                == Consequence::Parted
            {
                break;
            }
        }
        Ok(())
    }

    /// Compares a step; says whether there is a point in going on.
    fn step(&mut self, history: History<'_>, known: &mut Known) -> Result<Consequence, ()> {
        let case = Case {
            peer: self.peer,
            history,
            disturbed: known.transactions.disturbed(history.step()),
            targets: &known.targets,
        };
        let parts = PARTINGS.iter().find(|rule| rule.knows(&case).is_some());
        if let Some(rule) = parts {
            *self.fired.entry(rule.name).or_default() += 1;
            return Ok(Consequence::Parted);
        }
        if case.ours() == case.theirs() {
            if known.transactions.part(history.step(), case.ours()) {
                return Ok(Consequence::Parted);
            }
        } else {
            let (rule, consequence) = RULES
                .iter()
                .find_map(|rule| Some((rule, rule.knows(&case)?)))
                .ok_or(())?;
            *self.fired.entry(rule.name).or_default() += 1;
            if consequence == Consequence::Parted {
                return Ok(Consequence::Parted);
            }
            known.transactions.differs(history.step());
        }
        known.note(history);
        Ok(Consequence::Same)
    }

    /// The rules for such clients that were never needed: they belong in the list no longer.
    pub fn idle_rules(&self, cast: Cast) -> impl Iterator<Item = &'static str> {
        let mine = PARTINGS
            .iter()
            .chain(RULES)
            .filter(move |rule| rule.may_fire(self.peer, cast) && rule.is_common());
        mine.map(|rule| rule.name)
            .filter(|name| !self.fired.contains_key(name))
    }

    fn explain(&self, seed: u64, history: History<'_>, wrong: &str) -> Difference {
        let number = history.number;
        let mut text = format!("seed {seed}, step {number}, against {:?}:\n", self.peer);
        for (at, step) in history.episode.steps[..=number].iter().enumerate() {
            text += &format!("  {at}: {step}\n");
        }
        let (ours, theirs) = (&history.ours[number], &history.theirs[number]);
        text += &format!("  ours:   {ours}\n  theirs: {theirs}\n");
        if !wrong.is_empty() {
            text += &format!("  ours is wrong by itself: {wrong}\n");
        }
        Difference { text }
    }
}

/// What is known of an episode so far.
#[derive(Default)]
struct Known {
    transactions: Transactions,
    targets: Targets,
    watches: Watches,
}

impl Known {
    /// Checks what ours made of a step, whatever the other made of it.
    fn check(&self, history: History<'_>) -> Result<(), String> {
        let is_told = history.ours[history.number].is_granted();
        if is_told {
            self.watches.check(history)?;
        }
        history.check_end()
    }

    fn note(&mut self, history: History<'_>) {
        let step = history.step();
        let answers = [
            &history.ours[history.number],
            &history.theirs[history.number],
        ];
        self.transactions.note(history.number, step, answers);
        let is_request = matches!(step, Step::Ask(_));
        if !is_request || answers[0].is_granted() {
            self.targets.note(step);
            self.watches.note(step, history.episode.cast);
        }
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
