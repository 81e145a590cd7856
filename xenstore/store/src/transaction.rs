//! A client's private view of the tree, until it commits.

use alloc::vec::Vec;

use morgana_xenstore_wire::Errno;

use crate::accessed::Accessed;
use crate::caller::Caller;
use crate::changes::{Change, without_repeats};
use crate::node::Stamp;
use crate::operations::{Step, Work, World};
use crate::quota::Quota;
use crate::tree::Tree;

#[derive(Debug)]
pub(crate) struct Transaction {
    /// The tree when it began.
    pub(crate) before: Tree,
    /// What it has made of it.
    pub(crate) world: World,
    pub(crate) accessed: Accessed,
    /// What it has changed, in order.
    pub(crate) steps: Vec<Step>,
    pub(crate) changes: Vec<Change>,
}

impl Transaction {
    /// Costs the same whatever the tree's size is.
    pub(crate) fn begin(world: &World) -> Self {
        Self {
            before: world.tree.clone(),
            world: world.clone(),
            accessed: Accessed::default(),
            steps: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Puts its changes into `main`, and returns them.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if a node that it has looked at or changed was changed by others since; `ENOSPC` if a quota is used up by now. `main`
    /// is as before then.
    pub(crate) fn commit(
        self,
        main: &mut World,
        caller: Caller,
        quota: &Quota,
        next: &mut Stamp,
    ) -> Result<Vec<Change>, Errno> {
        if self.steps.is_empty() && !self.accessed.conflicts(&self.before, &main.tree) {
            return Ok(Vec::new());
        }
        if main.tree.is_same(&self.before) {
            *main = self.world;
            return Ok(without_repeats(self.changes));
        }
        if self.accessed.conflicts(&self.before, &main.tree) {
            return Err(Errno::Again);
        }
        let mut world = main.clone();
        let mut changes = Vec::new();
        let mut work = Work {
            caller,
            quota,
            world: &mut world,
            next,
            accessed: None,
            changes: &mut changes,
        };
        for step in &self.steps {
            match work.repeat(step) {
                Ok(()) => {}
                Err(Errno::NoSpace) => return Err(Errno::NoSpace),
                // What it depends on is unchanged, so this does not happen; if it did, to try again would be right.
                Err(_) => return Err(Errno::Again),
            }
        }
        *main = world;
        Ok(without_repeats(changes))
    }
}
