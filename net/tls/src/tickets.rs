//! Tickets, by which a client goes on with an earlier session (RFC 8446, 4.6.1; RFC 5077).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::server::ProducesTickets;
use spin::Mutex;

use crate::wall::Wall;

/// For so long a key makes tickets; for as long again it opens them.
const ROTATION_S: u64 = 6 * 3600;

/// Bytes of the name that a ticket has of its key, so that one of another key needs no try.
const NAME: usize = 16;

/// The longest ticket of ours: a session with a chain of client certificates would be longer, and is not offered.
const TICKET: usize = 1024;

/// Makes tickets and opens them. The session stays with the client; here are only the keys, in memory and nowhere else.
pub(crate) struct Tickets {
    wall: Arc<Wall>,
    random: SystemRandom,
    keys: Mutex<Keys>,
}

struct Keys {
    /// When the newest was made, in seconds since 1970.
    made: u64,
    newest: Key,
    before: Option<Key>,
}

struct Key {
    name: [u8; NAME],
    key: LessSafeKey,
}

impl Key {
    /// `None` if there is no entropy.
    fn new(random: &SystemRandom) -> Option<Self> {
        let (mut name, mut secret) = ([0; NAME], [0; 32]);
        random.fill(&mut name).ok()?;
        random.fill(&mut secret).ok()?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &secret).ok()?;
        let key = LessSafeKey::new(key);
        Some(Self { name, key })
    }
}

impl Tickets {
    /// `None` if there is no entropy.
    pub(crate) fn new(wall: Arc<Wall>) -> Option<Self> {
        let random = SystemRandom::new();
        let keys = Keys {
            made: wall.unix_seconds(),
            newest: Key::new(&random)?,
            before: None,
        };
        Some(Self {
            wall,
            random,
            keys: Mutex::new(keys),
        })
    }

    /// The keys, of which old ones are gone.
    fn keys(&self) -> Option<spin::MutexGuard<'_, Keys>> {
        let mut keys = self.keys.lock();
        let now = self.wall.unix_seconds();
        let age = now.saturating_sub(keys.made);
        if age >= ROTATION_S {
            let newest = Key::new(&self.random)?;
            let before = core::mem::replace(&mut keys.newest, newest);
            // Nobody has looked for so long that the one before is too old as well.
            keys.before = (age < 2 * ROTATION_S).then_some(before);
            keys.made = now;
        }
        Some(keys)
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        // Twice six hours.
        2 * ROTATION_S as u32
    }

    /// The key's name, a nonce, the encrypted session, a tag.
    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let keys = self.keys()?;
        let Key { name, key } = &keys.newest;
        let mut sealed = session.to_vec();
        let nonce_again = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce_again, Aad::from(name), &mut sealed)
            .ok()?;
        Some([&name[..], &nonce, &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > TICKET {
            return None;
        }
        let (name, rest) = ticket.split_first_chunk::<NAME>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let keys = self.keys()?;
        let key = [Some(&keys.newest), keys.before.as_ref()]
            .into_iter()
            .flatten()
            .find(|key| key.name == *name)?;
        let mut session = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.key.open_in_place(nonce, Aad::from(name), &mut session);
        let length = opened.ok()?.len();
        session.truncate(length);
        Some(session)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use morgana_hal::WallTime;

    fn at(wall: &Wall, seconds: u64) {
        wall.set(WallTime::from_unix_nanos(seconds * 1_000_000_000));
    }

    #[test]
    fn a_ticket_is_good_for_twice_the_time_of_a_key_at_most() {
        let wall = Arc::new(Wall::default());
        at(&wall, 1000);
        let tickets = Tickets::new(wall.clone()).unwrap();
        let ticket = tickets.encrypt(b"session").unwrap();
        let opened = || tickets.decrypt(&ticket);
        assert_eq!(opened().as_deref(), Some(&b"session"[..]));
        at(&wall, 1000 + ROTATION_S);
        assert_eq!(opened().as_deref(), Some(&b"session"[..]));
        let newer = tickets.encrypt(b"session").unwrap();
        assert_ne!(newer[..NAME], ticket[..NAME]);
        at(&wall, 1000 + 2 * ROTATION_S);
        assert_eq!(opened(), None);
        assert_eq!(tickets.decrypt(&newer).as_deref(), Some(&b"session"[..]));
        at(&wall, 1000 + 9 * ROTATION_S);
        assert_eq!(tickets.decrypt(&newer), None);
    }

    #[test]
    fn what_is_no_ticket_of_ours_is_refused() {
        let tickets = Tickets::new(Arc::default()).unwrap();
        let ticket = tickets.encrypt(b"session").unwrap();
        for length in 0..ticket.len() {
            assert_eq!(tickets.decrypt(&ticket[..length]), None);
        }
        for byte in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[byte] ^= 0x40;
            assert_eq!(tickets.decrypt(&changed), None);
        }
        assert_eq!(tickets.decrypt(&[0; 5000]), None);
        let others = Tickets::new(Arc::default()).unwrap();
        assert_eq!(others.decrypt(&ticket), None);
    }
}
