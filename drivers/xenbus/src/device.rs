//! One end of a device: its own keys, and the other end's.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, OnceCell};
use core::future::Future;
use core::str::FromStr;

use morgana_exec::join;
use morgana_hal::DomId;
use morgana_xenstore_client::{
    Client, Errno, Error, KeyError, Path, Problem, Tree, Watch, number, text,
};

use crate::directory::{backend_path, frontend_path};
use crate::{BackendAddress, State, XenbusError};

/// Which end of a device this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The end that asks.
    Frontend,
    /// The end that serves.
    Backend,
}

impl Role {
    /// The key in the own directory that names the other end's directory.
    pub(crate) const fn link(self) -> &'static str {
        match self {
            Self::Frontend => "backend",
            Self::Backend => "frontend",
        }
    }

    /// The key in the own directory that names the other end's domain.
    pub(crate) const fn link_domain(self) -> &'static str {
        match self {
            Self::Frontend => "backend-id",
            Self::Backend => "frontend-id",
        }
    }
}

/// One end of a device.
///
/// It watches the other end's state and the key that names the other end, both for as long as it lives.
#[derive(Debug)]
pub struct Device {
    pub(crate) client: Client,
    pub(crate) role: Role,
    /// The own directory.
    pub(crate) own: String,
    /// The other end's directory.
    pub(crate) peer: String,
    peer_domain: DomId,
    /// Set when the other end's state is first asked for.
    pub(crate) peer_watch: OnceCell<Watch>,
    pub(crate) link_watch: Watch,
    /// The other end's state as it was last told.
    pub(crate) told: Cell<Option<State>>,
    /// The own state as it was read when the device was opened, until it is used: it saves the handshake a round trip.
    pub(crate) own_at_first: Cell<Option<State>>,
}

impl Device {
    /// Opens a front end of this domain, `device/KIND/INDEX`.
    ///
    /// # Errors
    ///
    /// [`XenbusError::Removed`] if there is no such device.
    // A function that only begins another's future takes no code of its own.
    pub fn frontend<'a>(
        client: &'a Client,
        kind: &str,
        index: u32,
    ) -> impl Future<Output = Result<Self, XenbusError>> + use<'a> {
        Self::open(client, Role::Frontend, frontend_path(kind, index))
    }

    /// Opens a back end of this domain, `backend/KIND/FRONTEND/INDEX`.
    ///
    /// # Errors
    ///
    /// [`XenbusError::Removed`] if there is no such device, [`XenbusError::Key`] if its `frontend-id` is not that of the path.
    pub async fn backend(
        client: &Client,
        kind: &str,
        address: BackendAddress,
    ) -> Result<Self, XenbusError> {
        let device = Self::open(client, Role::Backend, backend_path(kind, address)).await?;
        if device.peer_domain != address.frontend {
            let path = device.own_path(Role::Backend.link_domain());
            return Err(KeyError::new(&path, Problem::Unknown).into());
        }
        Ok(device)
    }

    pub(crate) async fn open(
        client: &Client,
        role: Role,
        own: String,
    ) -> Result<Self, XenbusError> {
        let paths = [role.link(), role.link_domain(), "state"].map(|key| format!("{own}/{key}"));
        let link = &paths[0];
        // All at once, but the watch is set before the link is read, so that no change of it is missed: xenstored answers in order.
        let (link_watch, values) = join(client.watch(link), client.read_each(&paths)).await;
        let link_watch = link_watch?;
        let mut values = paths.iter().zip(values);
        let mut next = || values.next().expect("each path was answered");
        let (path, value) = next();
        let peer = match text(path, value) {
            Err(error) if error.is_not_found() => return Err(XenbusError::Removed),
            result => result?,
        };
        if !Path::parse(&peer).is_ok_and(Path::is_absolute) {
            return Err(KeyError::new(link, Problem::Unknown).into());
        }
        let (path, value) = next();
        let peer_domain = number(path, value)?;
        let (path, value) = next();
        // One that makes no sense is read again when it matters.
        let own_state = parse_state(path, value).ok();
        Ok(Self {
            client: client.clone(),
            role,
            own,
            peer,
            peer_domain: DomId::new(peer_domain),
            peer_watch: OnceCell::new(),
            link_watch,
            told: Cell::new(None),
            own_at_first: Cell::new(own_state),
        })
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The domain of the other end.
    pub fn peer_domain(&self) -> DomId {
        self.peer_domain
    }

    /// The client that it was opened with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The path of a key in the own directory.
    pub fn own_path(&self, key: &str) -> String {
        format!("{}/{key}", self.own)
    }

    /// The path of a key in the other end's directory.
    pub fn peer_path(&self, key: &str) -> String {
        format!("{}/{key}", self.peer)
    }

    /// A key of the own directory as text, such as a vif's `mac`.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub async fn own_text(&self, key: &str) -> Result<String, KeyError> {
        self.client.read_text(&self.own_path(key)).await
    }

    /// A key of the own directory as a number.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub async fn own_number<N: FromStr>(&self, key: &str) -> Result<N, KeyError> {
        self.client.read_number(&self.own_path(key)).await
    }

    /// A key of the other end as text.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub async fn peer_text(&self, key: &str) -> Result<String, KeyError> {
        self.client.read_text(&self.peer_path(key)).await
    }

    /// A key of the other end as a number.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub async fn peer_number<N: FromStr>(&self, key: &str) -> Result<N, KeyError> {
        self.client.read_number(&self.peer_path(key)).await
    }

    /// A key of the other end as a number, or `default` if there is none: so are features announced.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub async fn peer_number_or<N: FromStr>(&self, key: &str, default: N) -> Result<N, KeyError> {
        self.client
            .read_number_or(&self.peer_path(key), default)
            .await
    }

    /// The other end's state now.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is not one.
    pub async fn peer_state(&self) -> Result<State, KeyError> {
        read_state(&self.client, &self.peer_path("state")).await
    }

    /// The own state, as it stands in the store.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is not one.
    pub async fn own_state(&self) -> Result<State, KeyError> {
        read_state(&self.client, &self.own_path("state")).await
    }
}

/// The state in a key. No key is [`State::Unknown`]; for whom may not read the directories above it either, what was removed looks as if
/// it was forbidden.
pub(crate) async fn read_state(tree: &Tree, path: &str) -> Result<State, KeyError> {
    parse_state(path, tree.read(path).await)
}

/// As [`read_state`], of what was read.
fn parse_state(path: &str, read: Result<Vec<u8>, Error>) -> Result<State, KeyError> {
    let number = match number(path, read) {
        Err(error) if error.is_not_found() || is_forbidden(&error) => return Ok(State::Unknown),
        result => result?,
    };
    State::from_number(number).ok_or_else(|| KeyError::new(path, Problem::Unknown))
}

fn is_forbidden(error: &KeyError) -> bool {
    error.problem == Problem::Request(Error::Refused(Errno::Access))
}
