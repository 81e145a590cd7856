//! A store from what a daemon has kept that has crashed.

use alloc::vec::Vec;
use core::fmt;

use morgana_hal::{DomId, Port};
use morgana_xenstore_migration::{Journal as Kept, Position};

use crate::connection::ConnectionId;
use crate::quota::Quota;
use crate::state::{LoadError, Misfit};
use crate::store::Store;

/// How far stamps go ahead, so that no list of children looks as if it was what somebody has seen a part of before.
const AHEAD: u64 = 1 << 32;

/// A store as it was when the daemon before crashed. Local clients are gone, and open transactions end with `EAGAIN`.
#[derive(Debug)]
pub struct Recovered {
    /// The store.
    pub store: Store,
    /// The domains that are to be served again: their connections and their own ports, 0 if that is not known.
    pub rings: Vec<(ConnectionId, DomId, Port)>,
    /// Up to where the journal goes: its frames are how often something had changed since the state.
    pub reached: Position,
    /// So many bytes at the end of the journal were no whole change, and are left off.
    pub left_off: usize,
}

/// Why a journal makes no store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecoverError {
    /// The state makes none.
    State(LoadError),
    /// What has changed does not fit it.
    Changes {
        /// Which frame: the first is 1.
        frame: usize,
        /// Which of its records: the first is 1.
        record: usize,
        /// What is wrong with it.
        misfit: Misfit,
    },
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(error) => error.fmt(f),
            Self::Changes {
                frame,
                record,
                misfit,
            } => {
                write!(f, "record {record} of change {frame}: {misfit}")
            }
        }
    }
}

impl core::error::Error for RecoverError {}

impl Store {
    /// The store that a journal tells of. `quota` is for domains that come, unless the journal knows better.
    ///
    /// # Errors
    ///
    /// [`RecoverError`].
    pub fn recover(mut kept: Kept<'_>, quota: Quota) -> Result<Recovered, RecoverError> {
        let loaded = Self::load_ahead(kept.state(), quota, AHEAD).map_err(RecoverError::State)?;
        let mut store = loaded.store;
        while let Some(changes) = kept.next_changes() {
            store
                .replay(changes)
                .map_err(|(record, misfit)| RecoverError::Changes {
                    frame: kept.reached().frames as usize,
                    record,
                    misfit,
                })?;
        }
        store.give_transactions_up();
        let rings = store.domains.iter().filter_map(|(&domain, introduced)| {
            let connection = store.connection_of(domain)?;
            Some((connection, domain, introduced.port))
        });
        Ok(Recovered {
            rings: rings.collect(),
            store,
            reached: kept.reached(),
            left_off: kept.unread(),
        })
    }

    /// What open transactions have seen and done is not known.
    fn give_transactions_up(&mut self) {
        for connection in self.connections.values_mut() {
            for transaction in connection.transactions.values_mut() {
                transaction.go_stale();
            }
        }
        self.open.clear();
    }
}
