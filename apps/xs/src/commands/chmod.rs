//! `xs chmod`: who may do what.

use morgana_exec::join_all;
use morgana_xenstore_client::Tree;

use crate::cli;
use crate::failure::Failure;
use crate::path::{self, Kind};
use crate::permissions::Wanted;
use crate::session::Session;
use crate::walk::{Details, Walk};

/// Nodes that are changed at once.
const AT_ONCE: usize = 32;

/// What to change.
#[derive(Debug)]
pub(crate) struct Chmod {
    path: String,
    wanted: Wanted,
    reach: Reach,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reach {
    Node,
    /// The node and all below it.
    All,
}

impl Chmod {
    pub(crate) fn check(arguments: cli::Chmod) -> Result<Self, Failure> {
        let path = path::check(&arguments.path, Kind::Node)?;
        let wanted = Wanted::parse(&arguments.permissions)?;
        let reach = if arguments.recursive {
            Reach::All
        } else {
            Reach::Node
        };
        Ok(Self {
            path,
            wanted,
            reach,
        })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let changed = session
            .client
            .transaction(async |tree| self.change(tree).await);
        changed.await
    }

    async fn change(&self, tree: &Tree) -> Result<(), Failure> {
        let mut paths = vec![self.path.clone()];
        if self.reach == Reach::All {
            let mut walk = Walk::new(tree, &self.path, Details::None, None);
            paths.clear();
            while let Some(node) = walk.next().await {
                node.children.map_err(Failure::at(&node.path))?;
                paths.push(node.path);
            }
        }
        // From below, so that who takes a right away from itself comes to all nodes.
        paths.reverse();
        for paths in paths.chunks(AT_ONCE) {
            let changes = paths.iter().map(|path| self.change_node(tree, path));
            let done: Result<Vec<()>, Failure> = join_all(changes).await.into_iter().collect();
            done?;
        }
        Ok(())
    }

    async fn change_node(&self, tree: &Tree, path: &str) -> Result<(), Failure> {
        let now = match self.wanted {
            Wanted::List(_) => Vec::new(),
            Wanted::Changes(_) => tree.permissions(path).await.map_err(Failure::at(path))?,
        };
        let then = self.wanted.apply(&now);
        tree.set_permissions(path, &then)
            .await
            .map_err(Failure::at(path))
    }
}
