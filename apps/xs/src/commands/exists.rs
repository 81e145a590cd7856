//! `xs exists`: an exit status for scripts.

use crate::cli;
use crate::failure::Failure;
use crate::path::{self, Kind};
use crate::session::Session;

/// What is to be there.
#[derive(Debug)]
pub(crate) struct Exists {
    paths: Vec<String>,
}

impl Exists {
    pub(crate) fn check(arguments: cli::Exists) -> Result<Self, Failure> {
        let paths = path::check_all(&arguments.paths, Kind::Node)?;
        Ok(Self { paths })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let found = session.client.read_each(&self.paths).await;
        for (path, found) in self.paths.iter().zip(found) {
            match found {
                Ok(_) => {}
                Err(error) if error.is_not_found() => {
                    return Err(Failure::Told(Failure::NOT_THERE));
                }
                Err(error) => return Err(Failure::at(path)(error)),
            }
        }
        Ok(())
    }
}
