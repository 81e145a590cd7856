//! What requests do to a tree, the main one or a transaction's.

use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Errno, Path};

use crate::accessed::{Accessed, Aspects};
use crate::accounts::Account;
use crate::caller::{Caller, Intent};
use crate::changes::{Change, Kind};
use crate::entry::Entries;
use crate::host::Host;
use crate::ledger::Meter;
use crate::node::{Node, Stamp};
use crate::quota::Resource;
use crate::world::World;

/// One caller at work on one world.
pub(crate) struct Work<'a> {
    pub(crate) caller: Caller,
    pub(crate) meter: Meter<'a>,
    pub(crate) host: &'a dyn Host,
    /// Bytes that the caller uses besides its nodes.
    pub(crate) held_bytes: usize,
    pub(crate) world: &'a mut World,
    /// The stamp of the next change.
    pub(crate) next: &'a mut Stamp,
    /// Where a transaction notes what it depends on.
    pub(crate) accessed: Option<&'a mut Accessed>,
    pub(crate) changes: &'a mut Vec<Change>,
}

/// A change that was asked for, to be repeated on another tree.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Write { path: String, value: Vec<u8> },
    Mkdir { path: String },
    Remove { path: String },
    SetPermissions { path: String, list: Entries },
}

impl Step {
    /// About how much memory it takes, and what it changes.
    pub(crate) fn bytes(&self) -> usize {
        const STEP: usize = 192;
        STEP + match self {
            Self::Write { path, value } => 2 * path.len() + value.len(),
            Self::Mkdir { path } | Self::Remove { path } => 2 * path.len(),
            Self::SetPermissions { path, list } => 2 * path.len() + size_of_val(&**list),
        }
    }

    /// Whether it gives permissions to `domain`.
    pub(crate) fn names(&self, domain: DomId) -> bool {
        match self {
            Self::SetPermissions { list, .. } => list.iter().any(|entry| entry.domain == domain),
            _ => false,
        }
    }
}

impl Work<'_> {
    /// The node, if the caller may do with it what it intends.
    fn check(&mut self, path: Path<'_>, intent: Intent, aspects: Aspects) -> Result<Node, Errno> {
        let (at, node) = self.world.tree.lowest(path);
        let node = node.clone();
        self.note(at, Aspects::PERMISSIONS)?;
        // The control domain may know everything.
        let aspects = match self.caller.is_control() {
            true => aspects,
            false => aspects | Aspects::ABOVE,
        };
        self.note(path, aspects)?;
        if !self.caller.may(intent, &node.permissions) {
            return Err(Errno::Access);
        }
        // That there is no such node only those learn who may look at what is above it.
        if at == path {
            Ok(node)
        } else {
            Err(Errno::NotFound)
        }
    }

    fn note(&mut self, path: Path<'_>, aspects: Aspects) -> Result<(), Errno> {
        let Some(accessed) = &mut self.accessed else {
            return Ok(());
        };
        accessed.note(path, aspects);
        let noted = accessed.len();
        self.meter.admit(Resource::TransactionNodes, noted)
    }

    /// Whether `owner` may have `more` in place of `less`. What others own is their affair: callers do not make nodes for them.
    fn afford(&mut self, owner: Option<DomId>, more: Account, less: Account) -> Result<(), Errno> {
        if owner != Some(self.caller.domain) {
            return Ok(());
        }
        let account = self.world.accounts.of(self.caller.domain);
        if more.nodes > less.nodes {
            let nodes = account.nodes + more.nodes - less.nodes;
            self.meter.admit(Resource::Nodes, nodes)?;
        }
        if more.bytes > less.bytes {
            let bytes = account.bytes + more.bytes - less.bytes;
            self.meter
                .admit(Resource::Memory, bytes + self.held_bytes)?;
        }
        Ok(())
    }

    fn stamp(&mut self) -> Stamp {
        self.next.0 += 1;
        *self.next
    }

    fn changed(&mut self, path: Path<'_>, kind: Kind) {
        let parent = path.parent().and_then(|above| self.world.tree.node(above));
        let parent = match (parent, &kind) {
            (Some(node), _) => node.permissions.clone(),
            (None, Kind::Written { permissions, .. }) => permissions.clone(),
            (None, Kind::Removed { node }) => node.permissions.clone(),
        };
        self.changes.push(Change {
            path: path.as_str().into(),
            kind,
            parent,
        });
    }

    pub(crate) fn read(&mut self, path: Path<'_>) -> Result<Vec<u8>, Errno> {
        let node = self.check(path, Intent::Read, Aspects::VALUE)?;
        Ok(node.value().to_vec())
    }

    pub(crate) fn directory(&mut self, path: Path<'_>) -> Result<Node, Errno> {
        self.check(path, Intent::Read, Aspects::CHILDREN)
    }

    pub(crate) fn permissions(&mut self, path: Path<'_>) -> Result<Entries, Errno> {
        let node = self.check(path, Intent::Read, Aspects::PERMISSIONS)?;
        Ok(node.permissions.clone())
    }

    pub(crate) fn write(&mut self, path: Path<'_>, value: &[u8]) -> Result<(), Errno> {
        match self.check(path, Intent::Write, Aspects::VALUE) {
            Ok(node) => {
                self.meter.admit(Resource::NodeSize, value.len())?;
                let more = Account::of_parts("", value, &[]);
                let less = Account::of_parts("", node.value(), &[]);
                self.afford(node.owner(), more, less)?;
                self.world.set_value(path, value);
                let permissions = node.permissions.clone();
                let before = None;
                self.changed(
                    path,
                    Kind::Written {
                        permissions,
                        before,
                    },
                );
                Ok(())
            }
            Err(Errno::NotFound) => self.make(path, value),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn mkdir(&mut self, path: Path<'_>) -> Result<(), Errno> {
        match self.check(path, Intent::Write, Aspects::EXISTENCE) {
            Err(Errno::NotFound) => self.make(path, &[]),
            other => other.map(|_| ()),
        }
    }

    /// Makes a node that is missing, where the caller may write.
    fn make(&mut self, path: Path<'_>, value: &[u8]) -> Result<(), Errno> {
        self.meter.admit(Resource::NodeSize, value.len())?;
        let (above, parent) = self.world.tree.lowest(path);
        let permissions = self.caller.inherit(&parent.permissions);
        let depth = above.parts().count();
        let owner = permissions.first().map(|owner| owner.domain);
        let made = Account::of_missing(above, path, value, &permissions);
        self.afford(owner, made, Account::default())?;
        // The first missing node, whose absence decided where the others go.
        self.note(path.first(depth + 1), Aspects::EXISTENCE)?;
        let stamp = self.stamp();
        self.world.insert(above, path, value, &permissions, stamp);
        let before = None;
        self.changed(
            path,
            Kind::Written {
                permissions,
                before,
            },
        );
        Ok(())
    }

    pub(crate) fn remove(&mut self, path: Path<'_>) -> Result<(), Errno> {
        match self.check(path, Intent::Write, Aspects::SUBTREE) {
            // Gone already is as good, but only if the node above is there.
            Err(Errno::NotFound) => {
                let above = path.parent().ok_or(Errno::Invalid)?;
                self.note(above, Aspects::EXISTENCE)?;
                let parent = self.world.tree.node(above);
                return parent.map(|_| ()).ok_or(Errno::NotFound);
            }
            other => other?,
        };
        if path.parent().is_none() {
            return Err(Errno::Invalid);
        }
        let stamp = self.stamp();
        let change = self.world.take_out(path, stamp);
        self.changes.push(change.ok_or(Errno::NotFound)?);
        Ok(())
    }

    pub(crate) fn set_permissions(&mut self, path: Path<'_>, list: Entries) -> Result<(), Errno> {
        let owner = *list.first().ok_or(Errno::Invalid)?;
        self.meter.admit(Resource::Permissions, list.len())?;
        let node = self.check(path, Intent::Own, Aspects::PERMISSIONS)?;
        let before = node.permissions.clone();
        // To give nodes away would get around the quota.
        if node.owner() != Some(owner.domain) && !self.caller.is_control() {
            return Err(Errno::NotPermitted);
        }
        let more = Account::of_parts("", &[], &list);
        let less = Account::of_parts("", &[], &before);
        self.afford(node.owner(), more, less)?;
        self.world.permit(path, &list);
        let kind = Kind::Written {
            permissions: list,
            before: Some(before),
        };
        self.changed(path, kind);
        Ok(())
    }

    pub(crate) fn repeat(&mut self, step: &Step) -> Result<(), Errno> {
        // Only paths that were parsed are in steps.
        let parse = |path| Path::parse(path).map_err(|_| Errno::Invalid);
        // Looked for before each step: a transaction may bring many at once.
        if !matches!(step, Step::Remove { .. }) {
            self.meter.room(self.host)?;
        }
        match step {
            Step::Write { path, value } => self.write(parse(path)?, value),
            Step::Mkdir { path } => self.mkdir(parse(path)?),
            Step::Remove { path } => self.remove(parse(path)?),
            Step::SetPermissions { path, list } => self.set_permissions(parse(path)?, list.clone()),
        }
    }
}
