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

use alloc::string::String;

use morgana_exec::{Timers, join_all};
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
        let left = self.own_state().await?;
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

    /// Writes own keys and then the own state, all at once. Keys may lie in sub-directories (`queue-0/tx-ring-ref`).
    ///
    /// # Errors
    ///
    /// [`XenbusError::Removed`] if the device is not there any more; it is not written back to life.
    pub async fn publish(&self, state: State, keys: &[(&str, String)]) -> Result<(), XenbusError> {
        let written = self.client.transaction(async |tree| {
            self.check_alive(tree).await?;
            // All are under way at once: a round trip is far dearer than a request.
            let number = alloc::format!("{}", state.number());
            let state = [("state", &number)];
            let keys = keys.iter().map(|(key, value)| (*key, value));
            let writes = keys.chain(state).map(|(key, value)| {
                let path = self.own_path(key);
                async move { tree.write(&path, value).await }
            });
            join_all(writes).await.into_iter().collect()
        });
        written.await.map_err(removed)
    }

    /// Writes the own state alone.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub async fn switch(&self, state: State) -> Result<(), XenbusError> {
        self.publish(state, &[]).await
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
