//! What the store keeps for each client.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Errno, Path, PathError, TransactionId};

use crate::Quota;
use crate::caller::Caller;
use crate::transaction::Transaction;

/// Names a connection. Ids are not used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub(crate) u64);

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) caller: Caller,
    pub(crate) transactions: BTreeMap<TransactionId, Transaction>,
    pub(crate) watches: usize,
    /// What relative paths are relative to, without a slash at the end.
    home: String,
    last_transaction: u32,
}

impl Connection {
    pub(crate) fn new(caller: Caller, home: String) -> Self {
        Self {
            caller,
            transactions: BTreeMap::new(),
            watches: 0,
            home,
            last_transaction: 0,
        }
    }

    /// An id that none of the connection's open transactions has, and that is not 0.
    pub(crate) fn next_transaction(&mut self) -> TransactionId {
        loop {
            self.last_transaction = self.last_transaction.wrapping_add(1);
            let id = TransactionId(self.last_transaction);
            if id != TransactionId::NONE && !self.transactions.contains_key(&id) {
                return id;
            }
        }
    }

    /// The absolute path that `path` means for this client.
    pub(crate) fn absolute(&self, path: Path<'_>, quota: &Quota) -> Result<String, Errno> {
        let absolute = if path.is_absolute() || path.is_special() {
            String::from(path.as_str())
        } else {
            format!("{}/{path}", self.home)
        };
        if absolute.len() > quota.longest_path() {
            return Err(errno(PathError::TooLong));
        }
        Ok(absolute)
    }
}

/// A domain's home.
pub(crate) fn home(domain: DomId) -> String {
    format!("/local/domain/{}", domain.number())
}

pub(crate) fn errno(_: PathError) -> Errno {
    Errno::Invalid
}
