//! The handle that users hold.

use alloc::rc::Rc;
use alloc::string::String;
use core::ops::Deref;

use morgana_exec::{Handle, TooManyTasks};
use morgana_hal::{ByteStream, DomId, Mfn, Port};
use morgana_xenstore_wire::{Fields, Request, TransactionId, parse_flag};

use crate::connection::Connection;
use crate::driver::drive;
use crate::{Closed, Config, Error, Transaction, Tree, Watch, transaction};

/// A connection to xenstored. Clones share it, and it ends with the last of them.
///
/// What one can do with nodes is in [`Tree`], to which it dereferences.
#[derive(Clone, Debug)]
pub struct Client(Rc<Guard>);

#[derive(Debug)]
struct Guard {
    tree: Tree,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tree.connection.close(Closed::Dropped);
    }
}

impl Deref for Client {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.0.tree
    }
}

impl Client {
    /// A client over `stream`, which is at the beginning of a packet in both directions. Its task runs on `handle`'s executor.
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`].
    pub fn start<S: ByteStream>(stream: S, handle: &Handle) -> Result<Self, TooManyTasks> {
        Self::with_config(stream, handle, Config::default())
    }

    /// As [`start`](Self::start), not with the default configuration.
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`].
    pub fn with_config<S: ByteStream>(
        stream: S,
        handle: &Handle,
        config: Config,
    ) -> Result<Self, TooManyTasks> {
        let connection = Rc::new(Connection::new(handle.timers(), config));
        handle.spawn(drive(stream, connection.clone()))?;
        let tree = Tree {
            connection,
            transaction: TransactionId::NONE,
        };
        Ok(Self(Rc::new(Guard { tree })))
    }

    /// Runs `body` in a transaction and commits it. If others' changes got in the way, `body` runs again, in a new transaction. If it
    /// fails, the transaction is aborted. The future may be dropped at any point; then the transaction is aborted, or, if it was about
    /// to be committed, committed or not.
    ///
    /// # Errors
    ///
    /// What `body` answers, [`Error::Contended`] after [`Config::transaction_attempts`], or what a request failed with.
    pub async fn transaction<T, E: From<Error>>(
        &self,
        body: impl AsyncFnMut(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        transaction::run(&self.connection, body).await
    }

    /// Sets a watch on a path and all below it, or on a special event such as `@releaseDomain`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn watch(&self, path: &str) -> Result<Watch, Error> {
        Watch::set(&self.connection, path).await
    }

    /// The home of a domain, mostly `/local/domain/ID`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn domain_path(&self, domain: DomId) -> Result<String, Error> {
        let payload = self.call(Request::GetDomainPath { domain }).await?;
        let path = Fields::new(&payload).string();
        let path = path.map_err(|_| self.connection.malformed())?;
        Ok(String::from(path))
    }

    /// Whether xenstored serves a domain.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn is_introduced(&self, domain: DomId) -> Result<bool, Error> {
        let request = Request::IsDomainIntroduced { domain };
        let payload = self.call(request).await?;
        parse_flag(&payload).map_err(|_| self.connection.malformed())
    }

    /// Has xenstored serve a domain, whose ring is in the frame `frame`, and whose end of it listens at `port`. For the toolstack only.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn introduce(&self, domain: DomId, frame: Mfn, port: Port) -> Result<(), Error> {
        let request = Request::Introduce {
            domain,
            frame: frame.number(),
            port: port.number(),
        };
        self.call(request).await.map(drop)
    }

    /// Has xenstored forget a domain, which it does by itself when the domain has ended. For the toolstack only.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn release(&self, domain: DomId) -> Result<(), Error> {
        self.call(Request::Release { domain }).await.map(drop)
    }

    /// Why the connection has ended, if it has.
    pub fn closed(&self) -> Option<Closed> {
        self.connection.state.borrow().closed
    }
}
