//! `xs write`: values are set, all or none.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

use morgana_exec::join_all;

use crate::cli;
use crate::escape::{plain, unescape};
use crate::failure::Failure;
use crate::path::{self, Kind};
use crate::session::Session;

/// More cannot be a value: a message has 4,096 bytes (io/xs_wire.h, `XENSTORE_PAYLOAD_MAX`).
const MOST: u64 = 4096;

/// Values that are written at once.
const AT_ONCE: usize = 16;

/// What to set.
#[derive(Debug)]
pub(crate) struct Write {
    nodes: Vec<(String, Vec<u8>)>,
}

impl Write {
    pub(crate) fn check(arguments: cli::Write) -> Result<Self, Failure> {
        let (pairs, rest) = arguments.nodes.as_chunks::<2>();
        if let [path] = rest {
            let path = plain(path.as_bytes());
            return Err(Failure::Usage(format!("{path} has no value")));
        }
        let mut values = Values::new(&arguments);
        let mut nodes = Vec::new();
        for [path, value] in pairs {
            let path = path::check(path, Kind::Node)?;
            let value = values.value(&path, value)?;
            nodes.push((path, value));
        }
        Ok(Self { nodes })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let nodes = &self.nodes;
        let written = session.client.transaction(async |tree| {
            // They are carried out in their order: a path that comes twice has its last value.
            for nodes in nodes.chunks(AT_ONCE) {
                let writes = nodes.iter().map(async |(path, value)| {
                    let written = tree.write(path, value).await;
                    written.map_err(Failure::at(path))
                });
                let written: Result<(), _> = join_all(writes).await.into_iter().collect();
                written?;
            }
            Ok::<_, Failure>(())
        });
        written.await
    }
}

/// How arguments become values.
#[derive(Debug)]
struct Values {
    escapes: Escapes,
    input: Input,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Escapes {
    Plain,
    Resolved,
}

/// Standard input, which there is once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Input {
    Unread,
    Read,
}

impl Values {
    fn new(arguments: &cli::Write) -> Self {
        let escapes = if arguments.escapes {
            Escapes::Resolved
        } else {
            Escapes::Plain
        };
        let input = Input::Unread;
        Self { escapes, input }
    }

    fn value(&mut self, path: &str, argument: &OsStr) -> Result<Vec<u8>, Failure> {
        if argument == "-" {
            return self.input(path);
        }
        match self.escapes {
            Escapes::Plain => Ok(argument.as_bytes().to_vec()),
            Escapes::Resolved => unescape(argument.as_bytes()).map_err(|_| {
                let said = plain(argument.as_bytes());
                Failure::Usage(format!("{path}: a backslash without an escape in {said}"))
            }),
        }
    }

    fn input(&mut self, path: &str) -> Result<Vec<u8>, Failure> {
        if self.input == Input::Read {
            let why = "standard input is another node's value already";
            return Err(Failure::Usage(format!("{path}: {why}")));
        }
        self.input = Input::Read;
        let mut value = Vec::new();
        let read = io::stdin().take(MOST + 1).read_to_end(&mut value);
        read.map_err(|error| Failure::Other(format!("standard input: {error}")))?;
        Ok(value)
    }
}
