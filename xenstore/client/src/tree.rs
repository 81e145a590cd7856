//! Reading and writing nodes.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use morgana_exec::join_all;
use morgana_hal::DomId;
use morgana_xenstore_wire::{
    DirectoryPart, Errno, Fields, Path, Permission, Request, TransactionId, parse_names,
};

use crate::connection::Connection;
use crate::{Error, KeyError, Problem};

/// How often a list of children may change while it is read in parts.
const MAX_RESTARTS: usize = 8;

/// The nodes, as one connection sees them: in a transaction, or (through a [`Client`](crate::Client)) outside of any.
///
/// Paths are absolute, or relative to the domain's own home, `/local/domain/ID`.
#[derive(Debug)]
pub struct Tree {
    pub(crate) connection: Rc<Connection>,
    pub(crate) transaction: TransactionId,
}

impl Tree {
    /// A node's value.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        Path::parse(path)?;
        self.call(Request::Read { path }).await
    }

    /// The values of several nodes, in their order. All are asked for at once: a round trip is far dearer than a request. Each answers for
    /// itself.
    pub async fn read_each(&self, paths: &[String]) -> Vec<Result<Vec<u8>, Error>> {
        join_all(paths.iter().map(|path| self.read(path))).await
    }

    /// Sets several nodes' values, in their order and all at once, as [`write`](Self::write) does.
    ///
    /// # Errors
    ///
    /// The first [`Error`]; what comes behind it is written all the same.
    pub async fn write_each(&self, nodes: &[(String, String)]) -> Result<(), Error> {
        let writes = nodes.iter().map(|(path, value)| self.write(path, value));
        join_all(writes).await.into_iter().collect()
    }

    /// A node's value as text.
    ///
    /// # Errors
    ///
    /// [`KeyError`], which names the path.
    pub async fn read_text(&self, path: &str) -> Result<String, KeyError> {
        text(path, self.read(path).await)
    }

    /// A node's value as a decimal number.
    ///
    /// # Errors
    ///
    /// [`KeyError`], which names the path.
    pub async fn read_number<N: FromStr>(&self, path: &str) -> Result<N, KeyError> {
        number(path, self.read(path).await)
    }

    /// A node's value as a decimal number, or `default` if there is no such node.
    ///
    /// # Errors
    ///
    /// [`KeyError`], which names the path.
    pub async fn read_number_or<N: FromStr>(&self, path: &str, default: N) -> Result<N, KeyError> {
        number_or(path, self.read(path).await, default)
    }

    /// Sets a node's value; makes it and the nodes above it as needed.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn write(&self, path: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
        Path::parse(path)?;
        let value = value.as_ref();
        self.call(Request::Write { path, value }).await?;
        Ok(())
    }

    /// Makes a node, and the nodes above it, unless they are there.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn make(&self, path: &str) -> Result<(), Error> {
        Path::parse(path)?;
        self.call(Request::Mkdir { path }).await?;
        Ok(())
    }

    /// Deletes a node and all below it. The node itself need not exist, the one above it must.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn remove(&self, path: &str) -> Result<(), Error> {
        Path::parse(path)?;
        self.call(Request::Rm { path }).await?;
        Ok(())
    }

    /// The domain of this number, or the first of this name (`/local/domain/N/name`); `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Error`], if this domain may not look for others by their names.
    pub async fn domain_called(&self, called: &str) -> Result<Option<DomId>, Error> {
        if let Ok(number) = called.parse() {
            return Ok(Some(DomId::new(number)));
        }
        for number in self.children("/local/domain").await? {
            let name = self
                .read_text(&format!("/local/domain/{number}/name"))
                .await;
            if let (Ok(name), Ok(number)) = (name, number.parse())
                && name == called
            {
                return Ok(Some(DomId::new(number)));
            }
        }
        Ok(None)
    }

    /// The names of a node's children, however many there are.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn children(&self, path: &str) -> Result<Vec<String>, Error> {
        Path::parse(path)?;
        let payload = match self.call(Request::Directory { path }).await {
            Err(Error::Refused(Errno::TooBig)) => return self.children_in_parts(path).await,
            result => result?,
        };
        let names = parse_names(&payload).map_err(|_| self.connection.malformed())?;
        Ok(names.into_iter().map(String::from).collect())
    }

    async fn children_in_parts(&self, path: &str) -> Result<Vec<String>, Error> {
        let (mut names, mut offset, mut generation) = (Vec::new(), 0u32, None);
        let mut restarts = 0;
        while offset as usize <= self.connection.config.children_bytes {
            let request = Request::DirectoryPart { path, offset };
            let payload = self.call(request).await?;
            let part = DirectoryPart::parse(&payload).map_err(|_| self.connection.malformed())?;
            if generation.is_some_and(|generation| generation != part.generation) {
                restarts += 1;
                if restarts > MAX_RESTARTS {
                    return Err(Error::TooManyChildren);
                }
                (names, offset, generation) = (Vec::new(), 0, None);
                continue;
            }
            generation = Some(part.generation);
            names.extend(part.names.iter().copied().map(String::from));
            if part.complete {
                return Ok(names);
            }
            if part.len == 0 {
                // Neither a name nor the end: it would go on for ever.
                return Err(self.connection.malformed());
            }
            // A list beyond what an offset can be ends at the limit, too.
            offset = offset.saturating_add(part.len);
            if offset == u32::MAX {
                break;
            }
        }
        Err(Error::TooManyChildren)
    }

    /// A node's permissions; the first entry is the owner's.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn permissions(&self, path: &str) -> Result<Vec<Permission>, Error> {
        Path::parse(path)?;
        let payload = self.call(Request::GetPerms { path }).await?;
        let (mut fields, mut permissions) = (Fields::new(&payload), Vec::new());
        while !fields.is_empty() {
            let permission =
                Permission::parse(&mut fields).map_err(|_| self.connection.malformed())?;
            permissions.push(permission);
        }
        Ok(permissions)
    }

    /// Sets a node's permissions.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_permissions(
        &self,
        path: &str,
        permissions: &[Permission],
    ) -> Result<(), Error> {
        use core::fmt::Write as _;
        Path::parse(path)?;
        let mut list = String::new();
        for permission in permissions {
            // Writing into a String does not fail.
            let _ = write!(list, "{permission}\0");
        }
        let permissions = list.as_bytes();
        self.call(Request::SetPerms { path, permissions }).await?;
        Ok(())
    }

    pub(crate) async fn call(&self, request: Request<'_>) -> Result<Vec<u8>, Error> {
        self.connection.call(request, self.transaction, None).await
    }
}

/// What was read at `path`, as text.
///
/// # Errors
///
/// [`KeyError`], which names the path.
pub fn text(path: &str, read: Result<Vec<u8>, Error>) -> Result<String, KeyError> {
    let value = read.map_err(KeyError::at(path))?;
    String::from_utf8(value).map_err(|_| KeyError::new(path, Problem::NotText))
}

/// What was read at `path`, as a decimal number.
///
/// # Errors
///
/// [`KeyError`], which names the path.
pub fn number<N: FromStr>(path: &str, read: Result<Vec<u8>, Error>) -> Result<N, KeyError> {
    let text = text(path, read)?;
    text.parse()
        .map_err(|_| KeyError::new(path, Problem::NotANumber))
}

/// What was read at `path`, as a decimal number, or `default` if there was no such node.
///
/// # Errors
///
/// [`KeyError`], which names the path.
pub fn number_or<N: FromStr>(
    path: &str,
    read: Result<Vec<u8>, Error>,
    default: N,
) -> Result<N, KeyError> {
    match number(path, read) {
        Err(error) if error.is_not_found() => Ok(default),
        result => result,
    }
}
