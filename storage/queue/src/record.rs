//! What the log says of jobs: how they are now, not what was done. So reading it needs neither the time nor chance.
//!
//! A record is a byte that tells its kind, a number of a job, and by its kind:
//!
//! | kind | then |
//! |---|---|
//! | 1 put | priority (`u8`), attempts (`u32`), state, length (`u32`), payload |
//! | 2 set | attempts (`u32`), state |
//! | 3 remove | |
//! | 4 key | until when (`u64`), length (`u32`), key |
//! | 5 next | (the number is the next that is given) |
//! | 6 put, with its own limit | attempts that it may have (`u32`), then as a put |
//!
//! A state is a byte (0 ready, 1 delayed, 2 leased, 3 dead) and two numbers (`u64`): the end of the delay or lease, and the token. All is little-endian.

use alloc::vec::Vec;

use crate::job::{Job, State};
use crate::{JobId, MAX_KEY, MAX_PAYLOAD};

/// Bytes of records that are written at once.
pub(crate) const MAX_BATCH: usize = 64 << 10;

/// Bytes of a put without its payload.
pub(crate) const PUT_BYTES: usize = 1 + 8 + 4 + 1 + 4 + STATE_BYTES + 4;
/// Bytes of a key's record without the key.
pub(crate) const KEY_BYTES: usize = 1 + 8 + 8 + 4;
const STATE_BYTES: usize = 17;

// Whatever is to stay together fits into a batch.
const _: () = assert!(PUT_BYTES + MAX_PAYLOAD + KEY_BYTES + MAX_KEY <= MAX_BATCH);

/// The log has a checksum that fits, and what it says does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

#[derive(Debug)]
pub(crate) enum Record {
    Put(JobId, Job),
    Set(JobId, u32, State),
    Remove(JobId),
    Key(JobId, u64, Vec<u8>),
    Next(JobId),
}

impl Record {
    pub(crate) fn put(into: &mut Vec<u8>, id: JobId, job: &Job) {
        match job.most {
            0 => head(into, 1, id),
            most => {
                head(into, 6, id);
                into.extend_from_slice(&most.to_le_bytes());
            }
        }
        into.push(job.priority);
        into.extend_from_slice(&job.attempts.to_le_bytes());
        state(into, job.state);
        bytes(into, &job.payload);
    }

    pub(crate) fn set(into: &mut Vec<u8>, id: JobId, job: &Job) {
        head(into, 2, id);
        into.extend_from_slice(&job.attempts.to_le_bytes());
        state(into, job.state);
    }

    pub(crate) fn remove(into: &mut Vec<u8>, id: JobId) {
        head(into, 3, id);
    }

    pub(crate) fn key(into: &mut Vec<u8>, id: JobId, until: u64, key: &[u8]) {
        head(into, 4, id);
        into.extend_from_slice(&until.to_le_bytes());
        bytes(into, key);
    }

    pub(crate) fn next(into: &mut Vec<u8>, id: JobId) {
        head(into, 5, id);
    }

    /// Takes the first record off.
    pub(crate) fn decode(from: &mut &[u8]) -> Result<Self, Malformed> {
        let [kind] = take(from)?;
        let id = JobId(number(from)?);
        Ok(match kind {
            1 => Self::Put(id, take_job(from, 0)?),
            2 => Self::Set(id, u32::from_le_bytes(take(from)?), take_state(from)?),
            3 => Self::Remove(id),
            4 => Self::Key(id, number(from)?, take_bytes(from, MAX_KEY)?),
            5 => Self::Next(id),
            6 => {
                let most = u32::from_le_bytes(take(from)?);
                Self::Put(id, take_job(from, most)?)
            }
            _ => return Err(Malformed),
        })
    }
}

/// Records, in pieces that are each written whole or not at all.
#[derive(Debug, Default)]
pub(crate) struct Batches(pub(crate) Vec<Vec<u8>>);

impl Batches {
    /// Adds records that are to stay together.
    pub(crate) fn add(&mut self, unit: &[u8]) {
        match self.0.last_mut() {
            Some(last) if last.len() + unit.len() <= MAX_BATCH => last.extend_from_slice(unit),
            _ => self.0.push(unit.to_vec()),
        }
    }
}

fn head(into: &mut Vec<u8>, kind: u8, id: JobId) {
    into.push(kind);
    into.extend_from_slice(&id.0.to_le_bytes());
}

fn state(into: &mut Vec<u8>, state: State) {
    let (kind, at, token) = match state {
        State::Ready => (0, 0, 0),
        State::Delayed(at) => (1, at, 0),
        State::Leased { until, token } => (2, until, token),
        State::Dead => (3, 0, 0),
    };
    into.push(kind);
    into.extend_from_slice(&u64::to_le_bytes(at));
    into.extend_from_slice(&u64::to_le_bytes(token));
}

fn bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    into.extend_from_slice(bytes);
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, rest) = from.split_first_chunk::<N>().ok_or(Malformed)?;
    *from = rest;
    Ok(*taken)
}

fn take_job(from: &mut &[u8], most: u32) -> Result<Job, Malformed> {
    let [priority] = take(from)?;
    let attempts = u32::from_le_bytes(take(from)?);
    let state = take_state(from)?;
    Ok(Job {
        payload: take_bytes(from, MAX_PAYLOAD)?,
        priority,
        attempts,
        most,
        state,
        logged: true,
    })
}

fn number(from: &mut &[u8]) -> Result<u64, Malformed> {
    take(from).map(u64::from_le_bytes)
}

fn take_state(from: &mut &[u8]) -> Result<State, Malformed> {
    let [kind] = take(from)?;
    let (at, token) = (number(from)?, number(from)?);
    Ok(match kind {
        0 => State::Ready,
        1 => State::Delayed(at),
        2 => State::Leased { until: at, token },
        3 => State::Dead,
        _ => return Err(Malformed),
    })
}

fn take_bytes(from: &mut &[u8], most: usize) -> Result<Vec<u8>, Malformed> {
    let len = u32::from_le_bytes(take(from)?) as usize;
    if len > most {
        return Err(Malformed);
    }
    let (taken, rest) = from.split_at_checked(len).ok_or(Malformed)?;
    *from = rest;
    Ok(taken.to_vec())
}
