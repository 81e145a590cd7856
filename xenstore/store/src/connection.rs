//! What the store keeps for each client.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;

use morgana_hal::DomId;
use morgana_xenstore_wire::{ABSOLUTE_PATH_MAX, Errno, Path, PathError, TransactionId};

use crate::caller::Caller;
use crate::transaction::Transaction;

/// What a watch costs besides its path and its token, in bytes.
const WATCH: usize = 128;

/// Names a connection. Ids are not used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub(crate) u64);

/// A watch's absolute path and its token.
pub(crate) type Watched = (Rc<str>, Rc<str>);

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) caller: Caller,
    pub(crate) transactions: BTreeMap<TransactionId, Transaction>,
    /// Its watches, each with how much of its path the client did not write.
    pub(crate) watches: BTreeMap<Watched, usize>,
    /// Bytes of its watches.
    watch_bytes: usize,
    /// What relative paths are relative to, without a slash at the end.
    home: String,
    pub(crate) last_transaction: u32,
}

impl Connection {
    pub(crate) fn new(caller: Caller, home: String) -> Self {
        Self {
            caller,
            transactions: BTreeMap::new(),
            watches: BTreeMap::new(),
            watch_bytes: 0,
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

    /// Bytes of its watches and transactions. (There are few transactions, so they are asked each time.)
    pub(crate) fn held_bytes(&self) -> usize {
        let transactions = self.transactions.values().map(Transaction::bytes);
        self.watch_bytes + transactions.sum::<usize>()
    }

    pub(crate) fn add_watch(&mut self, watched: Watched, prefix: usize) {
        self.watch_bytes += watch_bytes(&watched.0, &watched.1);
        self.watches.insert(watched, prefix);
    }

    pub(crate) fn remove_watch(&mut self, watched: &Watched) {
        if self.watches.remove(watched).is_some() {
            self.watch_bytes -= watch_bytes(&watched.0, &watched.1);
        }
    }

    /// The absolute path that `path` means for this client.
    pub(crate) fn absolute(&self, path: Path<'_>) -> Result<String, Errno> {
        let absolute = if path.is_absolute() || path.is_special() {
            String::from(path.as_str())
        } else {
            format!("{}/{path}", self.home)
        };
        if absolute.len() > ABSOLUTE_PATH_MAX {
            return Err(errno(PathError::TooLong));
        }
        Ok(absolute)
    }
}

/// What a watch takes, in bytes.
pub(crate) fn watch_bytes(path: &str, token: &str) -> usize {
    WATCH + path.len() + token.len()
}

/// A domain's home.
pub(crate) fn home(domain: DomId) -> String {
    format!("/local/domain/{}", domain.number())
}

pub(crate) fn errno(_: PathError) -> Errno {
    Errno::Invalid
}
