//! `xs dump`: a tree as it was at one moment, as JSON.

use std::fs;
use std::path::PathBuf;

use morgana_xenstore_client::Tree;

use crate::cli;
use crate::dump::{TAIL, head};
use crate::failure::Failure;
use crate::json::{self, Record};
use crate::path::{self, Kind};
use crate::session::Session;
use crate::walk::{Details, Walk};

/// The longest dump, in bytes. It is kept until it is known to be of one moment.
const MOST: usize = 1 << 30;

/// What to dump, and where to.
#[derive(Debug)]
pub(crate) struct Dump {
    path: String,
    file: Option<PathBuf>,
    moment: Moment,
}

/// Whether all is as it was at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    One,
    /// Each node as it is when it is read.
    Many,
}

impl Dump {
    pub(crate) fn check(arguments: cli::Dump) -> Result<Self, Failure> {
        let moment = if arguments.no_transaction {
            Moment::Many
        } else {
            Moment::One
        };
        Ok(Self {
            moment,
            path: path::check(&arguments.path, Kind::Node)?,
            file: arguments.output,
        })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let client = &session.client;
        let text = match self.moment {
            Moment::One => {
                client
                    .transaction(async |tree| self.read(tree).await)
                    .await?
            }
            Moment::Many => self.read(client).await?,
        };
        match &self.file {
            None => session.out.bytes(text.as_bytes()),
            Some(file) => replace(file, text.as_bytes()),
        }
    }

    async fn read(&self, tree: &Tree) -> Result<String, Failure> {
        let mut text = head(&self.path)?;
        let mut separator = "\n";
        let mut walk = Walk::new(tree, &self.path, Details::Permissions, None);
        while let Some(node) = walk.next().await {
            if let Some(error) = node.error() {
                return Err(Failure::at(&node.path)(error));
            }
            text.push_str(separator);
            text.push_str(&json::line(&Record::of(&node))?);
            separator = ",\n";
            if text.len() > MOST {
                let why = format!("{}: a dump is over {MOST} bytes", node.path);
                return Err(Failure::Other(why));
            }
        }
        text.push('\n');
        text.push_str(TAIL);
        Ok(text)
    }
}

/// Writes a file. One that is there is replaced when all is written, unless it is no plain file.
fn replace(file: &PathBuf, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error| Failure::Other(format!("{}: {error}", file.display()));
    if fs::metadata(file).is_ok_and(|known| !known.is_file()) {
        return fs::write(file, bytes).map_err(failed);
    }
    let mut part = file.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, file))
        .map_err(|error| {
            // What is left of it is of no use.
            let _ = fs::remove_file(&part);
            failed(error)
        })
}
