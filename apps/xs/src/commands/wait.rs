//! `xs wait`: until a node is as it should be.

use std::os::unix::ffi::OsStringExt;

use crate::cli;
use crate::escape::quoted;
use crate::failure::Failure;
use crate::path::{self, Kind};
use crate::session::Session;

/// What to wait for.
#[derive(Debug)]
pub(crate) struct Wait {
    path: String,
    until: Until,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Until {
    There,
    Gone,
    Value(Vec<u8>),
}

impl Wait {
    pub(crate) fn check(arguments: cli::Wait) -> Result<Self, Failure> {
        let until = match (arguments.value, arguments.gone) {
            (Some(value), _) => Until::Value(value.into_vec()),
            (None, true) => Until::Gone,
            (None, false) => Until::There,
        };
        Ok(Self {
            path: path::check(&arguments.path, Kind::Node)?,
            until,
        })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let happens = self.happens(session);
        let Some(limit) = session.timeout else {
            return happens.await;
        };
        match session.timers.timeout(limit, happens).await {
            Ok(done) => done,
            Err(_) => {
                let path = &self.path;
                let what = match &self.until {
                    Until::There => format!("{path} did not come"),
                    Until::Gone => format!("{path} did not go"),
                    Until::Value(value) => format!("{path} did not become {}", quoted(value)),
                };
                Err(Failure::NotInTime { what, limit })
            }
        }
    }

    async fn happens(&self, session: &Session) -> Result<(), Failure> {
        let at = Failure::at(&self.path);
        let watch = session.client.watch(&self.path).await.map_err(&at)?;
        loop {
            // The first comes at once: it may be so already.
            watch.next().await?;
            let value = match session.client.read(&self.path).await {
                Ok(value) => Some(value),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(at(error)),
            };
            let happened = match &self.until {
                Until::There => value.is_some(),
                Until::Gone => value.is_none(),
                Until::Value(wanted) => value.as_ref() == Some(wanted),
            };
            if happened {
                return Ok(());
            }
        }
    }
}
