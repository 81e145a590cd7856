//! Who is asked.

use std::collections::BTreeMap;
use std::io;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Header, Operation, RequestId, TransactionId};

use crate::script::{Ask, Episode, Step, Transaction};
use crate::transcript::Answer;
use crate::world::Life;

/// A reply: its type and its payload.
pub(crate) type Reply = (u32, Vec<u8>);

/// An event: whose, and its payload.
pub(crate) type Event = (usize, Vec<u8>);

/// What a client sends before it connects anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Before {
    Nothing,
    /// A packet over the protocol's limit, and another one.
    TooLong,
}

/// A daemon with the clients of one episode.
pub(crate) trait Subject {
    /// Sends a request, and waits for the reply.
    fn ask(&mut self, client: usize, header: Header, payload: &[u8]) -> io::Result<Reply>;

    /// The events since last asked.
    fn events(&mut self) -> io::Result<Vec<Event>>;

    /// The client connects anew.
    fn anew(&mut self, client: usize, before: Before) -> io::Result<()>;

    /// A domain is something else from now on.
    fn domain(&mut self, domain: DomId, life: Life) -> io::Result<()>;
}

/// Plays the episode to a daemon; returns what came of each step.
pub(crate) fn play(subject: &mut impl Subject, episode: &Episode) -> io::Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(episode.steps.len());
    let mut begun = BTreeMap::new();
    for (number, step) in episode.steps.iter().enumerate() {
        let mut answer = Answer::default();
        let done = match step {
            Step::Ask(ask) => {
                request(subject, ask, number, &mut begun).map(|reply| answer.reply = reply)
            }
            Step::Anew { client } => subject.anew(*client, Before::Nothing),
            Step::TooLong { client } => subject.anew(*client, Before::TooLong),
            Step::Domain { domain, life } => subject.domain(*domain, *life),
        }
        .and_then(|()| subject.events());
        let events = done.map_err(|error| named(&error, episode, number))?;
        let events = events
            .iter()
            .map(|(client, payload)| Answer::event(*client, payload));
        answer.events = events.collect();
        // Those of one client stay in their order.
        answer
            .events
            .sort_by(|a, b| a.as_bytes().first().cmp(&b.as_bytes().first()));
        answers.push(answer);
    }
    Ok(answers)
}

/// The error, with the last few steps.
fn named(error: &io::Error, episode: &Episode, number: usize) -> io::Error {
    const BEFORE: usize = 12;
    let mut text = format!("step {number}: {error}; the last were");
    for step in &episode.steps[number.saturating_sub(BEFORE)..=number] {
        text += &format!("\n  {step}");
    }
    io::Error::new(error.kind(), text + "\n")
}

/// Asks; an id of a transaction that comes back is the same for all daemons from now on.
fn request(
    subject: &mut impl Subject,
    ask: &Ask,
    number: usize,
    begun: &mut BTreeMap<usize, u32>,
) -> io::Result<String> {
    const NOT_BEGUN: u32 = 0xffff_fff1;
    let transaction = match ask.transaction {
        Transaction::None => 0,
        Transaction::Unknown(id) => id,
        Transaction::Begun(step) => begun.get(&step).copied().unwrap_or(NOT_BEGUN),
    };
    let header = Header {
        code: ask.code,
        request: RequestId(number as u32),
        transaction: TransactionId(transaction),
        len: ask.payload.len() as u32,
    };
    let (code, payload) = subject.ask(ask.client, header, &ask.payload)?;
    let starts = Operation::TransactionStart.code();
    if code == starts && ask.code == starts {
        let id = String::from_utf8_lossy(&payload);
        if let Ok(id) = id.trim_end_matches('\0').parse() {
            begun.insert(number, id);
            return Ok(Answer::reply(ask.code, code, b"(id)\0"));
        }
    }
    if code == Operation::DirectoryPart.code() {
        // What the number is, is each daemon's own affair.
        let names = payload.iter().position(|&byte| byte == 0).unwrap_or(0);
        let payload = [&b"(generation)"[..], &payload[names..]].concat();
        return Ok(Answer::reply(ask.code, code, &payload));
    }
    Ok(Answer::reply(ask.code, code, &payload))
}
