//! Which domains act for which others, by `SET_TARGET`.

use std::collections::BTreeMap;

use morgana_hal::DomId;
use morgana_xenstore_wire::Operation;

use crate::script::{Ask, Cast, Episode, Step};
use crate::transcript::Answer;
use crate::world::Life;

/// Domains, with those that they act for.
#[derive(Debug, Default)]
pub(crate) struct Targets(BTreeMap<DomId, DomId>);

impl Targets {
    /// Whether a domain ends by this step, if it is granted, that some domain acts for.
    pub(crate) fn lose_by(&self, step: &Step) -> bool {
        let ended = ended(step);
        self.0.values().any(|target| Some(*target) == ended)
    }

    /// Notes what a step does that was granted.
    pub(crate) fn note(&mut self, step: &Step) {
        if let Some(ended) = ended(step) {
            self.0.remove(&ended);
        }
        if let Step::Ask(ask) = step
            && ask.operation() == Some(Operation::SetTarget)
            && let [domain, target, ..] = numbers(ask)[..]
        {
            self.0.insert(domain, target);
        }
    }
}

impl Episode {
    /// Whether a domain that another one acted for ended before the last of these answers, or by the step after it. C xenstored follows pointers to what
    /// it has freed from then on, so it may end.
    pub fn loses_a_target(&self, answers: &[Answer]) -> bool {
        let mut targets = Targets::default();
        self.steps
            .iter()
            .take(answers.len() + 1)
            .enumerate()
            .any(|(number, step)| {
                let lost = targets.lose_by(step);
                let is_request = matches!(step, Step::Ask(_));
                if !is_request || answers.get(number).is_some_and(Answer::is_granted) {
                    targets.note(step);
                }
                lost
            })
    }
}

/// The domain that ends by the step.
pub(crate) fn ended(step: &Step) -> Option<DomId> {
    match step {
        Step::Domain {
            domain,
            life: Life::Dying | Life::Absent,
        } => Some(*domain),
        Step::Ask(ask) if ask.operation() == Some(Operation::Release) => {
            numbers(ask).first().copied()
        }
        _ => None,
    }
}

/// The domains that a request is about.
fn numbers(ask: &Ask) -> Vec<DomId> {
    let strings = ask.strings();
    let numbers = strings.iter().filter_map(|text| {
        let text = core::str::from_utf8(text).ok()?;
        text.parse().ok().map(DomId::new)
    });
    numbers.collect()
}

/// The client whose connection a step begins or ends, if it is granted: its watches and transactions go.
pub(crate) fn reset(step: &Step, cast: Cast) -> Option<usize> {
    let client_of =
        |domain| (0..crate::CLIENTS).find(|&client| cast.domain(client) == Some(domain));
    match step {
        Step::Anew { client } | Step::TooLong { client } => Some(*client),
        Step::Domain { .. } => client_of(ended(step)?),
        Step::Ask(ask) => match ask.operation()? {
            Operation::ResetWatches => Some(ask.client),
            Operation::Release | Operation::Introduce => client_of(*numbers(ask).first()?),
            _ => None,
        },
    }
}
