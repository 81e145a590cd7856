//! Which transactions of an episode others have come in the way of: there the daemons differ by design.

use std::collections::BTreeMap;

use morgana_xenstore_wire::Operation;

use crate::script::{Ask, Step, Transaction};
use crate::transcript::Answer;

/// Whether a transaction is alone with its tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Isolation {
    /// Nobody has changed anything since it began.
    Alone,
    /// Others have changed the tree since it began.
    Disturbed,
}

/// The transactions that were begun, by their step.
#[derive(Debug, Default)]
pub(crate) struct Transactions(BTreeMap<usize, State>);

#[derive(Clone, Copy, Debug)]
struct State {
    isolation: Isolation,
    /// Both daemons have answered differently in it.
    differs: bool,
}

impl Transactions {
    fn of(step: &Step) -> Option<(usize, &Ask)> {
        match step {
            Step::Ask(ask) => match ask.transaction {
                Transaction::Begun(begun) => Some((begun, ask)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The step that began the transaction of this one, if others have changed the tree since.
    pub(crate) fn disturbed(&self, step: &Step) -> Option<usize> {
        let (begun, _) = Self::of(step)?;
        let state = self.0.get(&begun)?;
        (state.isolation == Isolation::Disturbed).then_some(begun)
    }

    /// Both have answered a request of a transaction differently.
    pub(crate) fn differs(&mut self, step: &Step) {
        if let Some((begun, _)) = Self::of(step)
            && let Some(state) = self.0.get_mut(&begun)
        {
            state.differs = true;
        }
    }

    /// Whether both have committed what is not the same.
    pub(crate) fn part(&self, step: &Step, answer: &Answer) -> bool {
        let Some((begun, ask)) = Self::of(step) else {
            return false;
        };
        let commits = ask.operation() == Some(Operation::TransactionEnd)
            && ask.payload.starts_with(b"T")
            && answer.is_granted();
        commits && self.0.get(&begun).is_some_and(|state| state.differs)
    }

    /// Notes what a step does to all.
    pub(crate) fn note(&mut self, number: usize, step: &Step, answers: [&Answer; 2]) {
        let granted = answers.iter().any(|answer| answer.is_granted());
        let (own, changes) = match step {
            Step::Ask(ask) if ask.operation() == Some(Operation::TransactionStart) => {
                if granted {
                    let isolation = Isolation::Alone;
                    let differs = false;
                    self.0.insert(number, State { isolation, differs });
                }
                return;
            }
            Step::Ask(ask) => changes(ask),
            Step::Anew { .. } | Step::TooLong { .. } => return,
            Step::Domain { .. } => (None, true),
        };
        let is_request = matches!(step, Step::Ask(_));
        if !changes || (is_request && !granted) {
            return;
        }
        for (begun, state) in &mut self.0 {
            if Some(*begun) != own {
                state.isolation = Isolation::Disturbed;
            }
        }
    }
}

/// The transaction of the request, and whether others may see what it does.
fn changes(ask: &Ask) -> (Option<usize>, bool) {
    use Operation::{Introduce, Mkdir, Release, Rm, SetPerms, TransactionEnd, Write};
    let operation = ask.operation();
    match ask.transaction {
        Transaction::Begun(begun) => (Some(begun), operation == Some(TransactionEnd)),
        _ => {
            let changing = [Introduce, Mkdir, Release, Rm, SetPerms, Write];
            (
                None,
                operation.is_some_and(|operation| changing.contains(&operation)),
            )
        }
    }
}
