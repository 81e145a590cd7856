//! `xs mkdir`: nodes without a value.

use crate::cli;
use crate::failure::Failure;
use crate::path::{self, Kind};
use crate::session::Session;

/// What to make.
#[derive(Debug)]
pub(crate) struct Mkdir {
    paths: Vec<String>,
}

impl Mkdir {
    pub(crate) fn check(arguments: cli::Mkdir) -> Result<Self, Failure> {
        let paths = path::check_all(&arguments.paths, Kind::Node)?;
        Ok(Self { paths })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let made = session.client.transaction(async |tree| {
            for path in &self.paths {
                tree.make(path).await.map_err(Failure::at(path))?;
            }
            Ok::<_, Failure>(())
        });
        made.await
    }
}
