//! Live update: what `xenstore-control live-update` asks for, step by step. (The steps and the answers are those of Xen's C daemon.)

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use morgana_exec::Notify;
use morgana_xenstore_migration::TooLong;
use morgana_xenstore_store::{ConnectionId, HandOver, Link, PendingCommand, Service};
use morgana_xenstore_wire::Errno;

use crate::Rings;
use crate::server::Server;

/// The program is to be replaced by another, which goes on with all that there is.
#[derive(Debug)]
pub struct UpdateRequest {
    /// The file of the other program.
    pub program: String,
    /// Its arguments, if they are not to be those of this one.
    pub command_line: Option<String>,
    pending: PendingCommand,
}

/// What has been said so far.
#[derive(Debug)]
struct Session {
    asker: ConnectionId,
    program: String,
    command_line: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Updates {
    session: RefCell<Option<Session>>,
    request: RefCell<Option<UpdateRequest>>,
    changes: Notify,
}

/// What a step comes to.
enum Step {
    Said(&'static str),
    /// The answer comes when the update is done, or has failed.
    Later,
}

const OK: Result<Step, Errno> = Ok(Step::Said("OK"));

/// The newest version of the stream's format that may be asked for.
const NEWEST: u32 = 2;

impl<R: Rings> Server<R> {
    /// One step of a live update.
    pub(crate) fn live_update(&self, pending: PendingCommand, words: &[String]) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match self.step(&pending, &words) {
            Ok(Step::Said(said)) => self.deliver(vec![pending.answer(said)]),
            Ok(Step::Later) => {}
            Err(error) => self.refuse(&pending, error),
        }
    }

    fn step(&self, pending: &PendingCommand, words: &[&str]) -> Result<Step, Errno> {
        let mut session = self.0.updates.session.borrow_mut();
        // Who has gone away has given it up.
        let is_there = |asker| self.0.clients.borrow().contains_key(&asker);
        if session.as_ref().is_some_and(|known| !is_there(known.asker)) {
            *session = None;
        }
        let is_own = |known: &&mut Session| known.asker == pending.asker();
        match *words {
            ["-a"] => Ok(Step::Said(match session.take() {
                Some(_) => "OK",
                None => "No live-update session active.",
            })),
            ["-f", program] => {
                if session.is_some() {
                    return Ok(Step::Said("live-update session already active."));
                }
                if let Err(why) = self.0.rings.successor(program) {
                    return Ok(Step::Said(why));
                }
                *session = Some(Session {
                    asker: pending.asker(),
                    program: program.into(),
                    command_line: None,
                });
                OK
            }
            ["-c", command_line] => match session.as_mut().filter(is_own) {
                Some(known) => {
                    known.command_line = Some(command_line.into());
                    OK
                }
                None => Ok(Step::Said("Not in live-update session.")),
            },
            ["-s", ref options @ ..] => {
                if let Some(wrong) = start_options(options)? {
                    return Ok(Step::Said(wrong));
                }
                let Some(known) = session.take_if(|known| is_own(&known)) else {
                    return Ok(Step::Said("Not in live-update session."));
                };
                let request = UpdateRequest {
                    program: known.program,
                    command_line: known.command_line,
                    pending: pending.clone(),
                };
                if let Some(older) = self.0.updates.request.replace(Some(request)) {
                    self.refuse_update(&older, "Another live update was asked for.");
                }
                self.0.updates.changes.notify();
                Ok(Step::Later)
            }
            _ => Err(Errno::Invalid),
        }
    }

    /// The next live update that is asked for.
    pub async fn update_request(&self) -> UpdateRequest {
        let updates = &self.0.updates;
        loop {
            let seen = updates.changes.count();
            let request = updates.request.borrow_mut().take();
            if let Some(request) = request {
                return request;
            }
            updates.changes.after(seen).await;
        }
    }

    /// Tells who has asked why there was no update.
    pub fn refuse_update(&self, request: &UpdateRequest, why: &str) {
        self.deliver(vec![request.pending.answer(why)]);
    }

    /// Whether all that was begun is done, so that [`export`](Self::export) leaves nothing out.
    pub fn is_settled(&self) -> bool {
        self.0.introductions.get() == 0
    }

    /// All that the daemon knows, as a stream for another one that goes on with it. Who asks for it gets its answer from that one.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if something does not fit the format.
    pub fn export(&self, left: &HandOver, request: &UpdateRequest) -> Result<Vec<u8>, TooLong> {
        let clients = self.0.clients.borrow();
        let mut links: BTreeMap<ConnectionId, Link> = clients
            .iter()
            .map(|(&connection, client)| {
                let (output, partial) = client.outbox.unsent();
                let service = if client.outbox.is_open() {
                    Service::Open
                } else {
                    Service::Paused
                };
                let link = Link {
                    reach: client.reach,
                    service,
                    input: client.inbox.unhandled(),
                    output,
                    partial,
                };
                (connection, link)
            })
            .collect();
        let answer = request.pending.answer("OK");
        if let Some(asker) = links.get_mut(&answer.to) {
            asker.output.extend_from_slice(&answer.content.bytes());
        }
        self.0.store.borrow().export(left, &links)
    }
}

/// Checks the options of `-s`. Transactions survive an update, so nobody has to wait for them (`-t`) or to give them up (`-F`).
fn start_options(mut options: &[&str]) -> Result<Option<&'static str>, Errno> {
    loop {
        options = match *options {
            [] => return Ok(None),
            ["-F", ref rest @ ..] => rest,
            ["-t", timeout, ref rest @ ..] if timeout.parse::<u32>().is_ok() => rest,
            ["-v", version, ref rest @ ..] => match version.parse() {
                Ok(1..=NEWEST) => rest,
                _ => return Ok(Some("Migration stream version not supported.")),
            },
            _ => return Err(Errno::Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_start() {
        for (options, expected) in [
            (&[][..], Ok(None)),
            (&["-F", "-t", "60", "-v", "1"], Ok(None)),
            (&["-t", "0"], Ok(None)),
            (
                &["-v", "3"],
                Ok(Some("Migration stream version not supported.")),
            ),
            (&["-t"], Err(Errno::Invalid)),
            (&["-t", "soon"], Err(Errno::Invalid)),
            (&["-x"], Err(Errno::Invalid)),
        ] {
            assert_eq!(start_options(options), expected, "{options:?}");
        }
    }
}
