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

/// What came of each step of an episode, and how it ended.
#[derive(Debug)]
pub struct Played {
    /// Of the steps that were answered.
    pub answers: Vec<Answer>,
    /// An error is that of the connections: also that the daemon has closed one, or does not answer.
    pub end: io::Result<()>,
}

/// Plays the episode to a daemon.
pub(crate) fn play(subject: impl Subject, episode: &Episode) -> Played {
    let mut answers = Vec::with_capacity(episode.steps.len());
    let mut player = Player::new(subject);
    for (number, step) in episode.steps.iter().enumerate() {
        match player.step(number, step) {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                let end = Err(named(&error, episode, number));
                return Played { answers, end };
            }
        }
    }
    let end = Ok(());
    Played { answers, end }
}

/// A daemon, and the ids that it gave to transactions.
pub(crate) struct Player<S> {
    subject: S,
    begun: BTreeMap<usize, u32>,
}

impl<S: Subject> Player<S> {
    pub(crate) fn new(subject: S) -> Self {
        let begun = BTreeMap::new();
        Self { subject, begun }
    }

    pub(crate) fn subject(&mut self) -> &mut S {
        &mut self.subject
    }

    /// Takes the step of this number.
    pub(crate) fn step(&mut self, number: usize, step: &Step) -> io::Result<Answer> {
        let mut answer = Answer::default();
        match step {
            Step::Ask(ask) => answer.reply = self.request(ask, number)?,
            Step::Anew { client } => self.subject.anew(*client, Before::Nothing)?,
            Step::TooLong { client } => self.subject.anew(*client, Before::TooLong)?,
            Step::Domain { domain, life } => self.subject.domain(*domain, *life)?,
        }
        let events = self.subject.events()?;
        let events = events
            .iter()
            .map(|(client, payload)| Answer::event(*client, payload));
        answer.events = events.collect();
        // Those of one client stay in their order.
        answer
            .events
            .sort_by(|a, b| a.as_bytes().first().cmp(&b.as_bytes().first()));
        Ok(answer)
    }

    /// Asks; an id of a transaction that comes back is the same for all daemons from now on.
    fn request(&mut self, ask: &Ask, number: usize) -> io::Result<String> {
        const NOT_BEGUN: u32 = 0xffff_fff1;
        let transaction = match ask.transaction {
            Transaction::None => 0,
            Transaction::Unknown(id) => id,
            Transaction::Begun(step) => self.begun.get(&step).copied().unwrap_or(NOT_BEGUN),
        };
        let header = Header {
            code: ask.code,
            request: RequestId(number as u32),
            transaction: TransactionId(transaction),
            len: ask.payload.len() as u32,
        };
        let (code, payload) = self.subject.ask(ask.client, header, &ask.payload)?;
        let starts = Operation::TransactionStart.code();
        if code == starts && ask.code == starts {
            let id = String::from_utf8_lossy(&payload);
            if let Ok(id) = id.trim_end_matches('\0').parse() {
                self.begun.insert(number, id);
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
