//! How two ends part.

use core::time::Duration;

use morgana_exec::Timers;

use crate::{Device, Role, State, XenbusError};

/// How long each step of a close waits for the other end.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How a close went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Farewell {
    /// The other end has closed too, or is gone: it does not use what was shared with it any more.
    Agreed,
    /// It did not answer in time, and may still use what was shared.
    Unanswered,
}

impl Device {
    /// Closes in order: says so, waits for the other end to do the same, and says that it is done. Grants are to be kept until then.
    ///
    /// A device that is gone is closed.
    ///
    /// # Errors
    ///
    /// [`XenbusError`].
    pub async fn close(&self, timers: &Timers) -> Result<Farewell, XenbusError> {
        if let Left::Gone = self.say(State::Closing).await? {
            return Ok(Farewell::Agreed);
        }
        // An end that was in the middle of nothing stays where it is: it has nothing of ours, and we nothing of its.
        let nothing = match self.role() {
            Role::Frontend => State::InitWait,
            Role::Backend => State::Initialising,
        };
        let idle = [State::Closing, State::Closed, State::Unknown, nothing];
        self.wait_in_time(timers, &idle).await?;
        if let Left::Gone = self.say(State::Closed).await? {
            return Ok(Farewell::Agreed);
        }
        // Closing is not the end yet: it may still be letting go.
        self.wait_in_time(timers, &idle[1..]).await
    }

    async fn say(&self, state: State) -> Result<Left, XenbusError> {
        match self.switch(state).await {
            Ok(()) => Ok(Left::There),
            Err(XenbusError::Removed) => Ok(Left::Gone),
            Err(error) => Err(error),
        }
    }

    async fn wait_in_time(
        &self,
        timers: &Timers,
        wanted: &[State],
    ) -> Result<Farewell, XenbusError> {
        let waited = async {
            loop {
                match self.wait_for(wanted).await {
                    // Not wanted yet, but on its way.
                    Err(XenbusError::PeerEnding(_)) => match self.next().await {
                        Ok(_) | Err(XenbusError::Key(_)) => {}
                        Err(error) => return Err(error),
                    },
                    Ok(_) | Err(XenbusError::Removed | XenbusError::Moved) => {
                        return Ok(Farewell::Agreed);
                    }
                    // A state of its own invention says nothing, and is no reason not to close.
                    Err(XenbusError::Key(_)) => return Ok(Farewell::Unanswered),
                    Err(error) => return Err(error),
                }
            }
        };
        match timers.timeout(CLOSE_TIMEOUT, waited).await {
            Ok(result) => result,
            Err(_) => Ok(Farewell::Unanswered),
        }
    }
}

enum Left {
    There,
    Gone,
}
