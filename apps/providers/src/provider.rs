//! The trait.

use crate::{Error, Launch, Machine, MachineId, ProviderName, Stats};

/// The most of a console that is told, in bytes.
pub const CONSOLE_BYTES: usize = 256 << 10;

/// Who has machines.
///
/// Each call waits for its answer, as long as the provider's own limit of time says. After an error of [`Family::Lost`](crate::Family::Lost)
/// nobody knows whether it was done: [`list`](Provider::list) tells. All errors name the provider and the machine.
pub trait Provider {
    /// Which it is.
    fn provider(&self) -> ProviderName;

    /// Makes a machine, and has it started.
    ///
    /// # Errors
    ///
    /// Bad input if the configuration is wrong, or asks for what this provider has not; refused among others if there is a machine of this name.
    fn create(&mut self, launch: &Launch) -> Result<Machine, Error>;

    /// All machines: others than ours, too, where they cannot be told from ours.
    ///
    /// # Errors
    ///
    /// Refused, lost or late.
    fn list(&mut self) -> Result<Vec<Machine>, Error>;

    /// A machine's figures.
    ///
    /// # Errors
    ///
    /// Refused if it is not there.
    fn stats(&mut self, machine: &MachineId) -> Result<Stats, Error>;

    /// Has a machine stand still, with all that it has in memory.
    ///
    /// # Errors
    ///
    /// Bad input where there is no such thing.
    fn pause(&mut self, machine: &MachineId) -> Result<(), Error>;

    /// Lets one that stands still run on.
    ///
    /// # Errors
    ///
    /// As [`pause`](Provider::pause).
    fn unpause(&mut self, machine: &MachineId) -> Result<(), Error>;

    /// Asks a machine to shut down. It may take its time, or not do so.
    ///
    /// # Errors
    ///
    /// Refused if it is not there, or cannot be asked.
    fn shutdown(&mut self, machine: &MachineId) -> Result<(), Error>;

    /// Ends a machine at once, and frees what it has.
    ///
    /// # Errors
    ///
    /// Refused if it is not there.
    fn destroy(&mut self, machine: &MachineId) -> Result<(), Error>;

    /// What a machine has written to its console, as far as it is kept: at most its last 256 KiB.
    ///
    /// # Errors
    ///
    /// Bad input where nothing is kept.
    fn console(&mut self, machine: &MachineId) -> Result<Vec<u8>, Error>;

    /// The machine of this name; one that is over only if there is no other.
    ///
    /// # Errors
    ///
    /// Refused, as [`Cause::Unknown`](crate::Cause::Unknown), if there is none.
    fn find(&mut self, name: &str) -> Result<Machine, Error> {
        let mut found: Vec<Machine> = self.list()?;
        found.retain(|machine| machine.name == name);
        let place = found.iter().position(|machine| !machine.state.is_over());
        match (place, found.is_empty()) {
            (Some(place), _) => Ok(found.swap_remove(place)),
            (None, false) => Ok(found.swap_remove(0)),
            (None, true) => Err(Error::about(self.provider(), name, crate::Cause::Unknown)),
        }
    }
}
