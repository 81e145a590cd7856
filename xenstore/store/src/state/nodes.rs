//! Nodes and their permissions, on their way into a stream and out of it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use morgana_xenstore_migration::{
    Node as Stated, PermissionBytes, Permissions, StatedPermission, TooLong, Validity,
};
use morgana_xenstore_wire::Path;

use super::error::Misfit;
use crate::entry::{Entries, Entry, Standing};
use crate::node::Node;
use crate::store::Store;

/// A list, as a record has it.
pub(super) fn stated<'a>(list: &[Entry], bytes: &'a mut PermissionBytes) -> Permissions<'a> {
    bytes.list(list.iter().map(|entry| StatedPermission {
        permission: entry.permission(),
        validity: match entry.standing {
            Standing::Valid => Validity::Valid,
            Standing::Void => Validity::Stale,
        },
    }))
}

/// The entries of a list.
pub(crate) fn entries(list: Permissions<'_>) -> Vec<Entry> {
    list.iter()
        .map(|stated| {
            let standing = match stated.validity {
                Validity::Valid => Standing::Valid,
                Validity::Stale => Standing::Void,
            };
            Entry::new(stated.permission, standing)
        })
        .collect()
}

/// Visits all nodes with their paths: each before those below it, and children oldest first, as clients know them.
pub(super) fn for_each(
    root: &Node,
    mut visit: impl FnMut(&str, &Node) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    visit("/", root)?;
    let mut path = String::new();
    // How long the path above is, and what is still to be visited there.
    let mut open = vec![(0, oldest_first(root))];
    while let Some((above, children)) = open.last_mut() {
        path.truncate(*above);
        let Some((name, child)) = children.next() else {
            open.pop();
            continue;
        };
        path.push('/');
        path.push_str(name);
        visit(&path, child)?;
        open.push((path.len(), oldest_first(child)));
    }
    Ok(())
}

fn oldest_first(node: &Node) -> vec::IntoIter<(&str, &Node)> {
    let children = node.names().filter_map(|name| {
        let child: &Node = node.child(name)?;
        Some((name, child))
    });
    children.collect::<Vec<_>>().into_iter()
}

impl Store {
    /// Takes up a node of the main tree, or who may see a special event.
    pub(super) fn load_node(&mut self, node: &Stated<'_>) -> Result<(), Misfit> {
        let list = entries(node.permissions);
        if list.is_empty() {
            return Err(Misfit::Owner);
        }
        let path = Path::parse_watch(node.path).map_err(|_| Misfit::Path)?;
        if path.is_special() {
            // Newer daemons may know more of them: whom those name is of no interest here.
            if let Some(special) = self.special.get_mut(node.path) {
                *special = list.clone().into();
                self.name_domains(&list);
            }
            return Ok(());
        }
        self.name_domains(&list);
        if !path.is_absolute() {
            return Err(Misfit::Path);
        }
        let Some(above) = path.parent() else {
            self.world.permit(path, &list.into());
            self.world.set_value(path, node.value);
            return Ok(());
        };
        let (at, parent) = self.world.tree.lowest(path);
        if at == path {
            return Err(Misfit::Twice);
        }
        if at != above {
            return Err(Misfit::Parent);
        }
        // Most nodes have the permissions of the one above, which they share then.
        let list: Entries = if *parent.permissions == *list {
            parent.permissions.clone()
        } else {
            self.lists.shared(list)
        };
        self.last_stamp.0 += 1;
        let stamp = self.last_stamp;
        self.world.insert(at, path, node.value, &list, stamp);
        Ok(())
    }

    /// Once one of these domains is gone, its entries are to go.
    pub(crate) fn name_domains(&mut self, list: &[Entry]) {
        let valid = list
            .iter()
            .filter(|entry| entry.standing == Standing::Valid);
        self.named.extend(valid.map(|entry| entry.domain));
    }
}
