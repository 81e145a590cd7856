//! A client's private view of the tree, until it commits.

use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::Errno;

use crate::accessed::Accessed;
use crate::caller::Caller;
use crate::changes::{Change, seen_by_others};
use crate::host::Host;
use crate::ledger::Meter;
use crate::node::Stamp;
use crate::operations::{Step, Work};
use crate::tree::Tree;
use crate::world::World;

/// What a transaction costs that has done nothing yet, in bytes.
const EMPTY: usize = 256;

#[derive(Debug)]
pub(crate) struct Transaction {
    /// The tree when it began.
    pub(crate) before: Tree,
    /// How much of the main tree had been replaced when it began.
    pub(crate) began: u64,
    /// What it has made of it.
    pub(crate) world: World,
    pub(crate) accessed: Accessed,
    /// What it has changed, in order.
    pub(crate) steps: Vec<Step>,
    pub(crate) changes: Vec<Change>,
    step_bytes: usize,
    pub(crate) outlook: Outlook,
}

/// Whether there is still a point in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outlook {
    Open,
    /// Others have gone against it: it goes on until it ends, and has to be tried again.
    Lost,
    /// It lost its snapshot. All that is left to it is to end, and to be tried again.
    Stale,
}

impl Transaction {
    /// Costs the same whatever the tree's size is.
    pub(crate) fn begin(world: &World) -> Self {
        Self {
            before: world.tree.clone(),
            began: world.replaced,
            world: world.clone(),
            accessed: Accessed::default(),
            steps: Vec::new(),
            changes: Vec::new(),
            step_bytes: 0,
            outlook: Outlook::Open,
        }
    }

    /// About how much memory it takes besides the snapshot.
    pub(crate) fn bytes(&self) -> usize {
        EMPTY + self.accessed.bytes() + self.step_bytes
    }

    pub(crate) fn keep(&mut self, step: Step) {
        self.step_bytes += step.bytes();
        self.steps.push(step);
    }

    /// Whether it has given permissions to `domain`.
    pub(crate) fn names(&self, domain: DomId) -> bool {
        self.steps.iter().any(|step| step.names(domain))
    }

    /// Whether somebody has gone against it since it began, so that it has to be tried again.
    pub(crate) fn conflicts(&self, main: &World) -> bool {
        !main.tree.is_same(&self.before) && self.accessed.conflicts(&self.before, &main.tree)
    }

    /// Gives up the snapshot, and all else that takes memory.
    pub(crate) fn go_stale(&mut self) {
        let empty = World::new();
        *self = Self {
            outlook: Outlook::Stale,
            ..Self::begin(&empty)
        };
    }

    /// Puts its changes into `main`, and returns them.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if a node that it has looked at or changed was changed by others since; `ENOSPC` or `ENOMEM` if a quota or
    /// the memory is used up by now. `main` is as before then.
    pub(crate) fn commit(
        self,
        main: &mut World,
        caller: Caller,
        meter: Meter<'_>,
        host: &dyn Host,
        held_bytes: usize,
        next: &mut Stamp,
    ) -> Result<Vec<Change>, Errno> {
        if self.outlook != Outlook::Open || self.conflicts(main) {
            return Err(Errno::Again);
        }
        let is_same = main.tree.is_same(&self.before);
        if self.steps.is_empty() {
            return Ok(Vec::new());
        }
        if is_same {
            *main = self.world;
            return Ok(seen_by_others(self.changes, &self.before, &main.tree));
        }
        let mut world = main.clone();
        let mut changes = Vec::new();
        let mut work = Work {
            caller,
            meter,
            host,
            held_bytes,
            world: &mut world,
            next,
            accessed: None,
            changes: &mut changes,
        };
        for step in &self.steps {
            match work.repeat(step) {
                Ok(()) => {}
                Err(full @ (Errno::NoSpace | Errno::NoMemory)) => return Err(full),
                // What it depends on is unchanged, so this does not happen; if it did, to try again would be right.
                Err(_) => return Err(Errno::Again),
            }
        }
        let before = core::mem::replace(main, world);
        Ok(seen_by_others(changes, &before.tree, &main.tree))
    }
}
