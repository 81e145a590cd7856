//! What happens to a device while it lives.

use core::future::poll_fn;
use core::task::Poll;

use morgana_exec::{join, select};
use morgana_xenstore_client::{Error, Watch};

use crate::device::read_state;
use crate::{Device, State, XenbusError};

/// A change that concerns a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The other end has come to this state. A back end that goes away shows [`State::Closed`] or [`State::Unknown`]; if it comes back
    /// it starts anew with [`State::Initialising`] or [`State::InitWait`], and the handshake can be run again.
    Peer(State),
    /// The toolstack has given the device another peer, as when a driver domain was replaced: open the device again.
    Moved,
    /// The toolstack has taken the device away.
    Removed,
}

impl Device {
    /// Waits for the next change. States that came and went meanwhile are not told.
    ///
    /// # Errors
    ///
    /// [`XenbusError`] if a state is none, or the connection to xenstored has ended.
    pub async fn next(&self) -> Result<Event, XenbusError> {
        let Some(peer_watch) = self.peer_watch.get() else {
            return self.first_look().await.map(Event::Peer);
        };
        loop {
            // What a watch says is only that something may have changed; what it is, is read.
            select(peer_watch.next(), self.link_watch.next())
                .await
                .into_result()?;
            take_waiting([peer_watch, &self.link_watch]).await?;
            if let Some(event) = self.look().await? {
                return Ok(event);
            }
        }
    }

    /// The other end's state, told for the first time; from here on it is watched.
    async fn first_look(&self) -> Result<State, XenbusError> {
        let path = self.peer_path("state");
        let watch = self.client.watch(&path);
        let (watch, state) = join(watch, read_state(&self.client, &path)).await;
        // Only one task looks at a device; if two did, the second watch would do no harm.
        let _ = self.peer_watch.set(watch?);
        let state = state?;
        self.told.set(Some(state));
        Ok(state)
    }

    /// Compares what is in the store with what was told.
    async fn look(&self) -> Result<Option<Event>, XenbusError> {
        let link = self.own_path(self.role.link());
        let (peer, state) = join(self.client.read_text(&link), self.peer_state()).await;
        match peer {
            Ok(peer) if peer == self.peer => {}
            Ok(_) => return Ok(Some(Event::Moved)),
            Err(error) if error.is_not_found() => return Ok(Some(Event::Removed)),
            Err(error) => return Err(error.into()),
        }
        let state = state?;
        if self.told.replace(Some(state)) == Some(state) {
            return Ok(None);
        }
        Ok(Some(Event::Peer(state)))
    }

    /// Whether the other end is in the state `wanted` now. For one who has more to ask and does not want to wait for each answer in turn.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn is_in(&self, wanted: State) -> Result<bool, XenbusError> {
        let state = match self.peer_watch.get() {
            Some(_) => self.peer_state().await?,
            None => self.first_look().await?,
        };
        Ok(state == wanted)
    }

    /// Waits until the other end is in one of `wanted`, and says in which.
    ///
    /// # Errors
    ///
    /// [`XenbusError::PeerEnding`] if it is closing, has closed or has no state, and that is not wanted.
    pub async fn wait_for(&self, wanted: &[State]) -> Result<State, XenbusError> {
        let mut event = match self.peer_watch.get() {
            Some(_) => self.look().await?,
            None => Some(Event::Peer(self.first_look().await?)),
        };
        loop {
            let state = match event {
                Some(Event::Removed) => return Err(XenbusError::Removed),
                Some(Event::Moved) => return Err(XenbusError::Moved),
                Some(Event::Peer(state)) => Some(state),
                None => self.told.get(),
            };
            if let Some(state) = state {
                if wanted.contains(&state) {
                    return Ok(state);
                }
                if state.is_ending() {
                    return Err(XenbusError::PeerEnding(state));
                }
            }
            event = Some(self.next().await?);
        }
    }

    /// As [`wait_for`](Self::wait_for), but an end that has closed may come back.
    ///
    /// # Errors
    ///
    /// [`XenbusError`], but not that the other end is ending.
    pub async fn wait_long_for(&self, wanted: &[State]) -> Result<(), XenbusError> {
        loop {
            match self.wait_for(wanted).await {
                Ok(_) => return Ok(()),
                Err(XenbusError::PeerEnding(_)) => {
                    self.next().await?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Takes all changes that are known already, so that they cost one look together.
async fn take_waiting(watches: [&Watch; 2]) -> Result<(), Error> {
    poll_fn(|cx| {
        for watch in watches {
            // What comes later wakes whoever polls next.
            while let Poll::Ready(changed) = watch.poll_next(cx) {
                changed?;
            }
        }
        Poll::Ready(Ok(()))
    })
    .await
}

/// Which of two things of one kind came first does not matter.
trait IntoResult<T> {
    fn into_result(self) -> T;
}

impl<T> IntoResult<T> for morgana_exec::Either<T, T> {
    fn into_result(self) -> T {
        match self {
            Self::First(value) | Self::Second(value) => value,
        }
    }
}
