//! Our store, in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};

use morgana_hal::DomId;
use morgana_xenstore_store::{ConnectionId, Content, Effect, Outgoing, Quota, Rights, Store};
use morgana_xenstore_wire::{Errno, HEADER_LEN, Header, Packet};

use crate::script::{CLIENTS, Cast, Episode, NOBODY, Place};
use crate::subject::{Before, Event, Reply, Subject, play};
use crate::transcript::Answer;
use crate::world::Life;

/// Plays the episode to our store, which serves domain 0.
///
/// # Errors
///
/// None that a daemon's connection has; what the store never answers is an error.
pub fn ours(episode: &Episode) -> io::Result<Vec<Answer>> {
    let played = play(Ours::new(episode), episode);
    played.end.map(|()| played.answers)
}

/// Plays the episode to our store, which serves no domain and takes every number for that of one, as the daemon does without Xen.
///
/// # Errors
///
/// As for [`ours`].
pub fn without_domains(episode: &Episode) -> io::Result<Vec<Answer>> {
    let mut ours = Ours::new(episode);
    ours.store.release(DomId::DOM0, &mut Vec::new());
    let all = (0..=NOBODY).map(|number| (DomId::new(number), Life::Running));
    ours.domains.extend(all);
    let played = play(ours, episode);
    played.end.map(|()| played.answers)
}

pub(crate) struct Ours {
    store: Store,
    cast: Cast,
    programs: [ConnectionId; CLIENTS],
    domains: BTreeMap<DomId, Life>,
    events: Vec<Outgoing>,
}

impl Ours {
    pub(crate) fn new(episode: &Episode) -> Self {
        let cast = episode.cast;
        let mut store = Store::new(Quota::default());
        store.make("/tool/xenstored");
        if episode.place == Place::Dom0 {
            store.make("/local/domain/0");
        }
        store.introduce(DomId::DOM0, Rights::Control, &mut Vec::new());
        let programs = [(); CLIENTS].map(|()| store.connect(DomId::DOM0, Rights::Control));
        Self {
            store,
            cast,
            programs,
            domains: BTreeMap::from([(DomId::DOM0, Life::Running)]),
            events: Vec::new(),
        }
    }

    fn connection(&self, client: usize) -> Option<ConnectionId> {
        match self.cast.domain(client) {
            Some(domain) => self.store.connection_of(domain),
            None => self.programs.get(client).copied(),
        }
    }

    fn client(&self, connection: ConnectionId) -> Option<usize> {
        (0..CLIENTS).find(|&client| self.connection(client) == Some(connection))
    }
}

impl Subject for Ours {
    fn ask(&mut self, client: usize, header: Header, payload: &[u8]) -> io::Result<Reply> {
        let connection = self.connection(client).ok_or(ErrorKind::NotConnected)?;
        let mut out = Vec::new();
        let domains = &self.domains;
        let exists = |domain: DomId| {
            domains
                .get(&domain)
                .is_some_and(|life| *life != Life::Absent)
        };
        let packet = Packet { header, payload };
        match self.store.handle(connection, packet, &exists, &mut out) {
            Effect::Introduce(pending) => {
                let mapped = match exists(pending.domain) {
                    true => Ok(()),
                    false => Err(Errno::Invalid),
                };
                self.store.finish_introduce(pending, mapped, &mut out);
            }
            Effect::Command(pending) => self.store.finish_command(&pending, Ok(()), &mut out),
            Effect::None | Effect::Release(_) => {}
        }
        let at = out
            .iter()
            .position(|packet| matches!(packet.content, Content::Reply(_)))
            .ok_or(ErrorKind::UnexpectedEof)?;
        let reply = out.remove(at).content.into_bytes();
        self.events.append(&mut out);
        let (head, payload) = reply.split_at(HEADER_LEN);
        let code = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        Ok((code, payload.to_vec()))
    }

    fn events(&mut self) -> io::Result<Vec<Event>> {
        let mut events = core::mem::take(&mut self.events);
        // As the daemon does with what waits to be sent.
        let mut seen = BTreeSet::new();
        events.retain(|event| seen.insert((event.to, event.content.bytes().into_owned())));
        let events = events.iter().filter_map(|event| {
            let client = self.client(event.to)?;
            Some((client, event.content.bytes()[HEADER_LEN..].to_vec()))
        });
        Ok(events.collect())
    }

    fn anew(&mut self, client: usize, _: Before) -> io::Result<()> {
        self.store.disconnect(self.programs[client]);
        self.programs[client] = self.store.connect(DomId::DOM0, Rights::Control);
        Ok(())
    }

    fn domain(&mut self, domain: DomId, life: Life) -> io::Result<()> {
        self.domains.insert(domain, life);
        // What the daemon does when it is told that some domain has changed.
        match life {
            Life::Running => {}
            Life::ShutDown => self.store.shut_down(domain, &mut self.events),
            Life::Dying | Life::Absent => {
                self.store.release(domain, &mut self.events);
            }
        }
        Ok(())
    }
}
