//! How two ends find together.
//!
//! ```text
//! front end                                  back end
//! Initialising                               Initialising
//!      │                                          │ writes its features
//!      │   ◄───────────────────────────────── InitWait
//!      │ writes grants, port, features
//! Initialised or Connected ─────────────────►     │ maps, binds; waits for hotplug
//!      │   ◄──────────────────────────────── Connected
//! Connected                                       │
//! ```

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use morgana_exec::{Timers, join};
use morgana_xenstore_client::{Error, KeyError, Problem, Tree};

use crate::{Device, Role, State, XenbusError};

impl Device {
    /// Begins the handshake: the own state becomes [`State::Initialising`]. If an earlier user of the device has left it in the middle
    /// of something, both ends first close.
    ///
    /// # Errors
    ///
    /// [`XenbusError`].
    pub async fn begin(&self, timers: &Timers) -> Result<(), XenbusError> {
        let left = match self.own_at_first.take() {
            Some(state) => state,
            None => self.own_state().await?,
        };
        let fresh = [State::Unknown, State::Initialising, State::Closed];
        if self.role == Role::Frontend && !fresh.contains(&left) {
            self.close(timers).await?;
        }
        if left == State::Initialising {
            // As the toolstack has left it.
            return Ok(());
        }
        self.switch(State::Initialising).await
    }

    /// A back end: waits for a front end that begins. Keys of one that is connected already are those of an earlier connection, so it is made to
    /// begin anew.
    ///
    /// # Errors
    ///
    /// [`XenbusError`].
    pub async fn wait_for_beginner(&self, timers: &Timers) -> Result<(), XenbusError> {
        if State::READY_FRONTEND.contains(&self.peer_state().await?) {
            self.close(timers).await?;
        }
        let fresh = [State::Unknown, State::Initialising, State::Closed];
        self.wait_long_for(&fresh).await
    }

    /// Writes own keys and then the own state. Keys may lie in sub-directories (`queue-0/tx-ring-ref`).
    ///
    /// The other end looks at the keys once it sees the state, and xenstored does what it is asked in order. That is enough for a front end, and
    /// costs one round trip. A back end mostly lives in a domain that may write anything, so it does it in a transaction: what the
    /// toolstack takes away at the same time must not be written back to life. (A front end's toolstack lets it write only below
    /// directories that exist.)
    ///
    /// # Errors
    ///
    /// [`XenbusError::Removed`] if the device is not there any more.
    pub async fn publish(&self, state: State, keys: &[(&str, String)]) -> Result<(), XenbusError> {
        if self.role == Role::Backend {
            return self.commit(state, keys).await;
        }
        match self.write(&self.client, state, keys).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.check_alive(&self.client).await.map_err(removed)?;
                Err(error.into())
            }
        }
    }

    /// Writes the own state alone.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub async fn switch(&self, state: State) -> Result<(), XenbusError> {
        self.commit(state, &[]).await
    }

    /// Writes in a transaction, if the device is there.
    async fn commit(&self, state: State, keys: &[(&str, String)]) -> Result<(), XenbusError> {
        let written = self.client.transaction(async |tree| {
            let alive = self.check_alive(tree);
            let (alive, written) = join(alive, self.write(tree, state, keys)).await;
            alive.and(written)
        });
        written.await.map_err(removed)
    }

    /// All is under way at once: a round trip is far dearer than a request.
    async fn write(&self, tree: &Tree, state: State, keys: &[(&str, String)]) -> Result<(), Error> {
        let mut nodes: Vec<_> = keys
            .iter()
            .map(|(key, value)| (self.own_path(key), value.clone()))
            .collect();
        nodes.push((self.own_path("state"), state.number().to_string()));
        tree.write_each(&nodes).await
    }

    /// A back end: waits until the hotplug script has done its part (`hotplug-status` is `connected`).
    ///
    /// # Errors
    ///
    /// [`XenbusError::Hotplug`] if the script says that it has failed, [`XenbusError::Removed`] if the device goes away meanwhile.
    pub async fn wait_for_hotplug(&self) -> Result<(), XenbusError> {
        let path = self.own_path("hotplug-status");
        let watch = self.client.watch(&path).await?;
        loop {
            watch.next().await?;
            match self.client.read_text(&path).await {
                Ok(status) if status == "connected" => return Ok(()),
                Ok(status) if status == "error" => return Err(XenbusError::Hotplug),
                Ok(_) => {}
                Err(error) if error.is_not_found() => {
                    self.check_alive(&self.client).await.map_err(removed)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A back end: whether the toolstack wants the device to stay (`online`). When a front end has closed and this is false, the
    /// device is to be given up; else a new front end may come.
    ///
    /// # Errors
    ///
    /// [`XenbusError`].
    pub async fn is_online(&self) -> Result<bool, XenbusError> {
        let path = self.own_path("online");
        match self.client.read_number_or::<u8>(&path, 0).await? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(KeyError::new(&path, Problem::Unknown).into()),
        }
    }

    /// An error if the toolstack has taken the device away.
    async fn check_alive(&self, tree: &Tree) -> Result<(), Error> {
        tree.read(&self.own_path(self.role.link())).await?;
        Ok(())
    }
}

/// Only the check for life reads, so what is not found is the device.
fn removed(error: Error) -> XenbusError {
    if error.is_not_found() {
        XenbusError::Removed
    } else {
        error.into()
    }
}
