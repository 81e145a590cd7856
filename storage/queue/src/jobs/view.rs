//! What tests compare.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Jobs, State};
use crate::JobId;

impl Jobs {
    /// What a crash may not change, but by what was under way: each job and each key, by name.
    pub(crate) fn view(&self) -> BTreeMap<Vec<u8>, View> {
        let jobs = self.jobs.iter().map(|(id, job)| {
            let view = View {
                id: *id,
                attempts: job.attempts,
                dead: job.state == State::Dead,
                payload: job.payload.clone(),
            };
            (id.0.to_be_bytes().to_vec(), view)
        });
        let keys = self.keys.iter().map(|(key, id)| {
            let view = View {
                id: *id,
                attempts: 0,
                dead: false,
                payload: Vec::new(),
            };
            (key.clone(), view)
        });
        jobs.chain(keys).collect()
    }
}

/// A job, or a key and its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) id: JobId,
    pub(crate) attempts: u32,
    pub(crate) dead: bool,
    pub(crate) payload: Vec<u8>,
}
