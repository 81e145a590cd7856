//! Several requests as one.

use alloc::rc::Rc;
use core::cell::Cell;
use core::ops::Deref;

use morgana_xenstore_wire::{Commit, Errno, Request, TransactionId};

use crate::connection::{Connection, transaction_id};
use crate::{Error, Tree};

/// A transaction that is open: the [`Tree`] as it was at the beginning, with the own changes. It ends with the closure that it was given
/// to; see [`Client::transaction`](crate::Client::transaction).
#[derive(Debug)]
pub struct Transaction {
    tree: Tree,
    ended: Cell<bool>,
}

impl Deref for Transaction {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.tree
    }
}

impl Transaction {
    async fn start(connection: &Rc<Connection>) -> Result<Self, Error> {
        let payload = connection
            .call(Request::TransactionStart, TransactionId::NONE, None)
            .await?;
        let id = transaction_id(&payload).ok_or_else(|| connection.malformed())?;
        Ok(Self {
            tree: Tree {
                connection: connection.clone(),
                transaction: id,
            },
            ended: Cell::new(false),
        })
    }

    async fn end(&self, commit: Commit) -> Result<(), Error> {
        self.ended.set(true);
        let request = Request::TransactionEnd { commit };
        let (connection, id) = (&self.tree.connection, self.tree.transaction);
        connection.end(request, id).await?;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.ended.get() {
            let mut state = self.tree.connection.state.borrow_mut();
            state.abort(self.tree.transaction);
        }
    }
}

/// Runs `body` in transactions until one commits.
pub(crate) async fn run<T, E: From<Error>>(
    connection: &Rc<Connection>,
    mut body: impl AsyncFnMut(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    for _ in 0..connection.config.transaction_attempts {
        let transaction = Transaction::start(connection).await?;
        match body(&transaction).await {
            Ok(value) => match transaction.end(Commit::Yes).await {
                Ok(()) => return Ok(value),
                Err(Error::Refused(Errno::Again)) => {}
                Err(error) => return Err(error.into()),
            },
            Err(error) => {
                // The body's error is what matters. Whether the abort is answered is the connection's affair.
                let _ = transaction.end(Commit::No).await;
                return Err(error);
            }
        }
    }
    Err(Error::Contended.into())
}
