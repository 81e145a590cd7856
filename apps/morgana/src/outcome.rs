//! What an application's main function may return.

use core::fmt::Display;

use morgana_hal::Exit;

/// Turns the value that an application returns into the way its domain ends.
pub trait Outcome {
    /// The way the domain ends. An error is logged here.
    fn exit(self) -> Exit;
}

/// The application is done: the domain powers off.
impl Outcome for () {
    fn exit(self) -> Exit {
        Exit::Poweroff
    }
}

impl Outcome for Exit {
    fn exit(self) -> Exit {
        self
    }
}

/// An error is logged and ends the domain as a crash, which the toolstack's `on_crash` answers.
impl<T: Outcome, E: Display> Outcome for Result<T, E> {
    fn exit(self) -> Exit {
        match self {
            Ok(value) => value.exit(),
            Err(error) => {
                log::error!("{error}");
                Exit::Crash
            }
        }
    }
}
