//! `xs rm`: nodes and all below them go.

use morgana_xenstore_client::{Error, Tree};

use crate::cli;
use crate::failure::Failure;
use crate::path::{self, Kind};
use crate::session::Session;
use crate::walk::{Details, Walk};

/// What to remove.
#[derive(Debug)]
pub(crate) struct Rm {
    paths: Vec<String>,
    missing: Missing,
    effect: Effect,
}

/// What it means that a node is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Missing {
    Fails,
    Fine,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    Remove,
    /// Only tell what would go.
    Tell,
}

impl Rm {
    pub(crate) fn check(arguments: cli::Rm) -> Result<Self, Failure> {
        let paths = path::check_all(&arguments.paths, Kind::Node)?;
        if paths.iter().any(|path| path == "/") {
            let why = "/ and all of xenstore is not removed; name what is below it";
            return Err(Failure::Usage(why.to_owned()));
        }
        let missing = if arguments.force {
            Missing::Fine
        } else {
            Missing::Fails
        };
        let effect = if arguments.dry_run {
            Effect::Tell
        } else {
            Effect::Remove
        };
        Ok(Self {
            paths,
            missing,
            effect,
        })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        if self.effect == Effect::Tell {
            return self.tell(session).await;
        }
        let removed = session.client.transaction(async |tree| {
            for path in &self.paths {
                if self.is_there(tree, path).await? {
                    tree.remove(path).await.map_err(Failure::at(path))?;
                }
            }
            Ok::<_, Failure>(())
        });
        removed.await
    }

    /// Whether a node is there. (xenstored itself takes the removal of one that is not for done.)
    async fn is_there(&self, tree: &Tree, path: &str) -> Result<bool, Failure> {
        match tree.read(path).await {
            Ok(_) | Err(Error::Refused(morgana_xenstore_client::Errno::Access)) => Ok(true),
            Err(error) if error.is_not_found() && self.missing == Missing::Fine => Ok(false),
            Err(error) => Err(Failure::at(path)(error)),
        }
    }

    async fn tell(&self, session: &mut Session) -> Result<(), Failure> {
        for path in &self.paths {
            if !self.is_there(&session.client, path).await? {
                continue;
            }
            let mut walk = Walk::new(&session.client, path, Details::None, None);
            while let Some(node) = walk.next().await {
                session.out.line(&node.path)?;
            }
        }
        Ok(())
    }
}
