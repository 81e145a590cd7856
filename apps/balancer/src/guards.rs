//! What is given back whatever happens: a connection's task may be dropped at any await.

use morgana_balance::{BackendId, Lease, Outcome};
use morgana_hal::Instant;

use crate::{Network, Shared};

/// A request that has come and not ended.
pub(crate) struct Request<'s, N: Network> {
    shared: &'s Shared<N>,
    came: Instant,
    outcome: Option<Outcome>,
}

impl<'s, N: Network> Request<'s, N> {
    pub(crate) fn begin(shared: &'s Shared<N>) -> Self {
        shared.policy().begin_request();
        Self {
            shared,
            came: shared.now(),
            outcome: Some(Outcome::Cancelled),
        }
    }

    pub(crate) const fn came(&self) -> Instant {
        self.came
    }

    /// It ends so, or is refused.
    pub(crate) fn end(mut self, outcome: Option<Outcome>) {
        self.outcome = outcome;
    }
}

impl<N: Network> Drop for Request<'_, N> {
    fn drop(&mut self) {
        let now = self.shared.now();
        let took = now.since(self.came);
        self.shared.policy().end_request(self.outcome, took, now);
    }
}

/// A request's place at a back end.
pub(crate) struct Place<'s, N: Network> {
    shared: &'s Shared<N>,
    lease: Option<Lease>,
}

impl<'s, N: Network> Place<'s, N> {
    pub(crate) const fn new(shared: &'s Shared<N>, lease: Lease) -> Self {
        Self {
            shared,
            lease: Some(lease),
        }
    }

    pub(crate) fn backend(&self) -> Option<BackendId> {
        self.lease.as_ref().map(Lease::backend)
    }

    /// Whether there is no answer to be expected any more.
    pub(crate) fn is_lost(&self) -> bool {
        let lost = |lease| self.shared.policy().is_lost(lease);
        self.lease.as_ref().is_some_and(lost)
    }

    /// The attempt has ended so.
    pub(crate) fn end(mut self, outcome: Outcome) {
        self.give_back(outcome);
    }

    fn give_back(&mut self, outcome: Outcome) {
        if let Some(lease) = self.lease.take() {
            let now = self.shared.now();
            self.shared.policy().end_attempt(lease, outcome, now);
            self.shared.look_around();
            self.shared.tell_waiting();
        }
    }
}

impl<N: Network> Drop for Place<'_, N> {
    fn drop(&mut self) {
        self.give_back(Outcome::Cancelled);
    }
}

/// A place among those that wait for a back end.
pub(crate) struct Waiting<'s, N: Network>(&'s Shared<N>);

impl<'s, N: Network> Waiting<'s, N> {
    /// `None` if too many wait.
    pub(crate) fn enter(shared: &'s Shared<N>) -> Option<Self> {
        let has_entered = shared.policy().enter_queue();
        has_entered.then(|| Self(shared))
    }
}

impl<N: Network> Drop for Waiting<'_, N> {
    fn drop(&mut self) {
        self.0.policy().leave_queue();
    }
}
