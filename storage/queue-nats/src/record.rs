//! What is in the stream: one message for each job, and one for each key that is remembered. The last message of a subject counts.
//!
//! | bytes | of a job (`STREAM.job.TOKEN`) |
//! |---|---|
//! | 4 | `mjb1` |
//! | 8 | its number; 0 for the sequence of this message itself, which is its first |
//! | 1 | state: 0 ready from a time on, 1 leased until a time, 2 dead, 3 put in, while its key is not taken yet |
//! | 8 | that time, in milliseconds; for state 3 the one from which on it is ready |
//! | 8 | token of the lease |
//! | 4, 4 | attempts that were made; that it may have (0: as many as the queue gives) |
//! | 1 | priority |
//! | 2, … | length of the key, and the key |
//! | … | payload |
//!
//! | bytes | of a key (`STREAM.key.HEX`) |
//! |---|---|
//! | 4 | `mky1` |
//! | 8, 8 | the number of its job; until when it is taken |
//!
//! All is little-endian.

use morgana_queue::{MAX_KEY, MAX_PAYLOAD};

/// How a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It can be leased from this time on.
    Ready(u64),
    Leased {
        until: u64,
        token: u64,
    },
    Dead,
    /// Its key is not taken yet; it is to be ready from this time on.
    Pending(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// 0 in its first message.
    pub(crate) id: u64,
    pub(crate) state: State,
    pub(crate) attempts: u32,
    pub(crate) most: u32,
    pub(crate) priority: u8,
    pub(crate) key: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: u64,
    pub(crate) until: u64,
}

const JOB: &[u8; 4] = b"mjb1";
const KEY: &[u8; 4] = b"mky1";

impl Job {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (kind, at, token) = match self.state {
            State::Ready(at) => (0, at, 0),
            State::Leased { until, token } => (1, until, token),
            State::Dead => (2, 0, 0),
            State::Pending(at) => (3, at, 0),
        };
        let mut bytes = JOB.to_vec();
        bytes.extend_from_slice(&self.id.to_le_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&u64::to_le_bytes(at));
        bytes.extend_from_slice(&u64::to_le_bytes(token));
        bytes.extend_from_slice(&self.attempts.to_le_bytes());
        bytes.extend_from_slice(&self.most.to_le_bytes());
        bytes.push(self.priority);
        bytes.extend_from_slice(&(self.key.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&self.key);
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// `None` for what is no job.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(JOB)?;
        let id = number(&mut rest)?;
        let [kind] = take(&mut rest)?;
        let (at, token) = (number(&mut rest)?, number(&mut rest)?);
        let attempts = u32::from_le_bytes(take(&mut rest)?);
        let most = u32::from_le_bytes(take(&mut rest)?);
        let [priority] = take(&mut rest)?;
        let length = u16::from_le_bytes(take(&mut rest)?);
        let (key, payload) = rest.split_at_checked(length.into())?;
        let state = match kind {
            0 => State::Ready(at),
            1 => State::Leased { until: at, token },
            2 => State::Dead,
            3 => State::Pending(at),
            _ => return None,
        };
        let fits = key.len() <= MAX_KEY && payload.len() <= MAX_PAYLOAD;
        fits.then(|| Self {
            id,
            state,
            attempts,
            most,
            priority,
            key: key.to_vec(),
            payload: payload.to_vec(),
        })
    }
}

impl Key {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = KEY.to_vec();
        bytes.extend_from_slice(&self.id.to_le_bytes());
        bytes.extend_from_slice(&self.until.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(KEY)?;
        let (id, until) = (number(&mut rest)?, number(&mut rest)?);
        rest.is_empty().then_some(Self { id, until })
    }
}

/// A key as the last part of a subject.
pub(crate) fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk::<N>()?;
    *from = rest;
    Some(*taken)
}

fn number(from: &mut &[u8]) -> Option<u64> {
    take(from).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_others_are_refused() {
        for state in [
            State::Ready(5),
            State::Leased { until: 7, token: 9 },
            State::Dead,
            State::Pending(1),
        ] {
            let job = Job {
                id: 3,
                state,
                attempts: 2,
                most: 4,
                priority: 255,
                key: b"k".to_vec(),
                payload: b"work".to_vec(),
            };
            let bytes = job.encode();
            assert_eq!(Job::decode(&bytes), Some(job));
            for cut in 0..bytes.len() - 4 {
                assert_eq!(Job::decode(&bytes[..cut]), None, "{cut}");
            }
            assert_eq!(Key::decode(&bytes), None);
        }
        let key = Key { id: 1, until: 2 };
        assert_eq!(Key::decode(&key.encode()), Some(key));
        assert_eq!(Key::decode(&[key.encode(), vec![0]].concat()), None);
        let mut other = Key { id: 1, until: 2 }.encode();
        other[..4].copy_from_slice(JOB);
        assert_eq!(Job::decode(&other), None);
    }
}
