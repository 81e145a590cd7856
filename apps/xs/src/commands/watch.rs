//! `xs watch`: changes as lines.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::{self, Stdio};

use morgana_exec::{Either, select};
use morgana_xenstore_client::Changed;
use serde::Serialize;

use crate::cli;
use crate::escape::{plain, quoted};
use crate::failure::Failure;
use crate::json::{self, Record};
use crate::output::Output;
use crate::paint::Style;
use crate::path::{self, Kind};
use crate::session::Session;
use crate::watching::{Watching, depth};

/// What to watch.
#[derive(Debug)]
pub(crate) struct Watch {
    paths: Vec<String>,
    depth: usize,
    /// Changes after which it ends.
    count: Option<u64>,
    first: First,
    form: Form,
    command: Option<OsString>,
}

/// Whether the state at the beginning is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum First {
    Left,
    Shown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Lines,
    Json,
}

/// What a node is after a change.
#[derive(Debug)]
enum State {
    Value(Vec<u8>),
    Gone,
    /// A special event happened: there is no node.
    Event,
    /// More has changed than could be kept.
    Anything,
}

impl Watch {
    pub(crate) fn check(arguments: cli::Watch) -> Result<Self, Failure> {
        let first = if arguments.initial {
            First::Shown
        } else {
            First::Left
        };
        let form = if arguments.json {
            Form::Json
        } else {
            Form::Lines
        };
        Ok(Self {
            paths: path::check_all(&arguments.paths, Kind::Watch)?,
            depth: arguments.depth.unwrap_or(usize::MAX),
            count: arguments.count,
            first,
            form,
            command: arguments.exec,
        })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let (timers, limit) = (session.timers.clone(), session.timeout);
        let gone = session.reader_gone();
        let Some(limit) = limit else {
            return match select(self.follow(session), gone).await {
                Either::First(done) => done,
                Either::Second(()) => Ok(()),
            };
        };
        let followed = select(self.follow(session), gone);
        match timers.timeout(limit, followed).await {
            Ok(Either::First(done)) => done,
            Ok(Either::Second(())) => Ok(()),
            Err(_) if self.count.is_none() => Ok(()),
            Err(_) => Err(Failure::NotInTime {
                what: "there were fewer changes".to_owned(),
                limit,
            }),
        }
    }

    async fn follow(&self, session: &mut Session) -> Result<(), Failure> {
        let client = session.client.clone();
        let watching = Watching::set(&client, &self.paths).await?;
        let mut left = self.count;
        if self.first == First::Shown {
            for path in &self.paths {
                let state = state(session, path).await?;
                self.show(&mut session.out, path, &state)?;
            }
        }
        session.out.flush()?;
        while left != Some(0) {
            let (path, state) = match watching.next().await? {
                (path, Changed::Anything) => (path.to_owned(), State::Anything),
                (root, Changed::Path(path)) => {
                    if depth(root, &path).is_none_or(|levels| levels > self.depth) {
                        continue;
                    }
                    let state = state(session, &path).await?;
                    (path, state)
                }
            };
            self.show(&mut session.out, &path, &state)?;
            session.out.flush()?;
            if let Some(command) = &self.command {
                execute(command, &path, &state)?;
            }
            left = left.map(|left| left - 1);
        }
        Ok(())
    }

    fn show(&self, out: &mut Output, path: &str, state: &State) -> Result<(), Failure> {
        if self.form == Form::Json {
            return out.line(json::line(&Event::new(path, state))?);
        }
        let path = plain(path.as_bytes());
        let gone = |text| out.paint(Style::Gone, text);
        let line = match state {
            State::Value(value) => format!("{path} = {}", quoted(value)),
            State::Gone => format!("{path} {}", gone("<gone>")),
            State::Event => path.to_string(),
            State::Anything => format!("{path} {}", gone("<more has changed than was kept>")),
        };
        out.line(line)
    }
}

/// A change as JSON.
#[derive(Debug, Serialize)]
struct Event {
    #[serde(flatten)]
    record: Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anything: Option<bool>,
}

impl Event {
    fn new(path: &str, state: &State) -> Self {
        let none = || Record {
            path: path.to_owned(),
            ..Record::default()
        };
        let record = match state {
            State::Value(value) => Record::new(path, value),
            _ => none(),
        };
        Self {
            record,
            gone: matches!(state, State::Gone).then_some(true),
            anything: matches!(state, State::Anything).then_some(true),
        }
    }
}

/// What a node is now.
async fn state(session: &Session, path: &str) -> Result<State, Failure> {
    if path.starts_with('@') {
        return Ok(State::Event);
    }
    match session.client.read(path).await {
        Ok(value) => Ok(State::Value(value)),
        Err(error) if error.is_not_found() => Ok(State::Gone),
        Err(error) => Err(Failure::at(path)(error)),
    }
}

/// Runs a shell's command for a change, to its end. How it ends is its own affair.
fn execute(command: &OsStr, path: &str, state: &State) -> Result<(), Failure> {
    let mut shell = process::Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null());
    shell.env("XS_PATH", path).env_remove("XS_VALUE");
    if let State::Value(value) = state {
        // No NUL can be in the environment.
        let escaped = plain(value).to_string();
        let value = if value.contains(&0) {
            OsStr::new(&escaped)
        } else {
            OsStr::from_bytes(value)
        };
        shell.env("XS_VALUE", value);
    }
    let ran = shell.status();
    ran.map(drop)
        .map_err(|error| Failure::Other(format!("sh: {error}")))
}
