//! What the protocol asks of transactions, held against ours alone: "reads and writes happen on the copy", and what is committed is as if all of it had been
//! asked at once.

use std::collections::BTreeMap;

use morgana_xenstore_wire::Operation;

use crate::history::{History, down_to};
use crate::moment::{Moment, Sight};
use crate::script::{Ask, Step, Transaction};
use crate::targets::ended;

impl<'a> History<'a> {
    /// What ours would answer to the request of this step, and to those before it in its transaction, if they were asked outside when it began.
    pub(crate) fn as_of(self, begun: usize, ask: &Ask) -> String {
        let mut moment = Moment::before(self.episode, begun);
        // The tree is that of the beginning, but whose rights the client has is not.
        for set in self.targets_set(begun) {
            moment.repeat(set);
        }
        for (_, own) in self.asked_in(begun) {
            moment.repeat(own);
        }
        moment.repeat(ask).reply
    }

    /// The requests since a step that gave a domain the rights of another one.
    fn targets_set(self, begun: usize) -> impl Iterator<Item = &'a Ask> {
        let steps = self.episode.steps[..self.number].iter().enumerate();
        steps
            .skip(begun)
            .filter_map(move |(number, step)| match step {
                Step::Ask(ask) if ask.operation() == Some(Operation::SetTarget) => {
                    self.ours[number].is_granted().then_some(ask)
                }
                _ => None,
            })
    }

    /// Checks what ours made of the end of a transaction.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn check_end(self) -> Result<(), String> {
        let (Step::Ask(ask), ours) = (&self.episode.steps[self.number], &self.ours[self.number])
        else {
            return Ok(());
        };
        let Transaction::Begun(begun) = ask.transaction else {
            return Ok(());
        };
        let commits = ask.operation() == Some(Operation::TransactionEnd) && ask.payload == b"T\0";
        // With other rights than before, answers would be others.
        let has_same_rights = self.targets_set(begun).next().is_none();
        if commits && ours.is_granted() && has_same_rights {
            self.check_commit(begun)
        } else if commits && ours.error() == Some("EAGAIN") && !self.conflicts(begun) {
            Err("nobody has gone against the transaction".into())
        } else {
            Ok(())
        }
    }

    /// As if all of it had been asked now, outside.
    fn check_commit(self, begun: usize) -> Result<(), String> {
        let mut moment = Moment::before(self.episode, self.number);
        for (number, own) in self.asked_in(begun) {
            let (then, now) = (&self.ours[number].reply, moment.repeat(own).reply);
            if *then != now {
                return Err(format!("step {number} would be answered by {now}"));
            }
        }
        let mut after = Moment::before(self.episode, self.number + 1);
        let (wanted, is) = (contents(&mut moment), contents(&mut after));
        match wanted
            .iter()
            .find(|(path, sight)| is.get(*path) != Some(sight))
        {
            Some((path, sight)) => Err(format!("{path} should be {sight:?}")),
            None if is.len() > wanted.len() => {
                Err("there are more nodes than there should be".into())
            }
            None => Ok(()),
        }
    }

    /// Whether what was asked for is not as it was when the transaction began.
    fn conflicts(self, begun: usize) -> bool {
        let mut then = Moment::before(self.episode, begun);
        let mut now = Moment::before(self.episode, self.number);
        self.is_stale(begun)
            || self.asked_in(begun).any(|(_, ask)| {
                let path = ask.absolute(self.episode.cast);
                path.is_some_and(|path| differs(ask, &path, &mut then, &mut now))
            })
    }

    /// Whether a domain has ended that the transaction gave permissions to.
    pub(crate) fn is_stale(self, begun: usize) -> bool {
        let steps = &self.episode.steps[begun..self.number];
        let mut ended = steps.iter().filter_map(ended);
        ended.any(|domain| {
            let number = domain.number().to_string();
            let names = |text: &&[u8]| text.get(1..) == Some(number.as_bytes());
            self.asked_in(begun).any(|(_, ask)| {
                let sets = ask.operation() == Some(Operation::SetPerms);
                sets && ask.strings().iter().any(names)
            })
        })
    }
}

/// Whether a request that was asked then may have another answer or another effect now.
fn differs(ask: &Ask, path: &str, then: &mut Moment, now: &mut Moment) -> bool {
    let all = down_to(path);
    let (_, above) = all.split_last().unwrap_or((&path, &[]));
    if above.iter().any(|path| then.has(path) != now.has(path)) {
        return true;
    }
    let (was, is) = (then.sight(path), now.sight(path));
    if was.is_none() && is.is_none() {
        // The lowest node that there is decides who may do what, and where others go.
        let lowest = above.iter().rev().find(|path| then.has(path));
        return lowest.is_some_and(|path| {
            let (was, is) = (then.sight(path), now.sight(path));
            was.map(|sight| sight.permissions) != is.map(|sight| sight.permissions)
        });
    }
    let (Some(was), Some(is)) = (was, is) else {
        return true;
    };
    was.permissions != is.permissions
        || match ask.operation() {
            Some(Operation::Read | Operation::Write) => was.value != is.value,
            Some(Operation::Directory | Operation::DirectoryPart) => {
                was.children != is.children || was.generation != is.generation
            }
            Some(Operation::Rm) => then.tree(path) != now.tree(path),
            _ => false,
        }
}

/// All nodes, without what counts changes.
fn contents(moment: &mut Moment) -> BTreeMap<String, Sight> {
    let mut tree = moment.tree("/");
    for sight in tree.values_mut() {
        sight.generation.clear();
    }
    tree
}
