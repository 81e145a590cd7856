//! Machines, as providers tell of them.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What a provider calls a machine: a domain's number, a UUID, an instance's id. It is never another machine's as long as this one is there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct MachineId(String);

impl MachineId {
    /// An id, as a provider has told it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// As a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a machine does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is about to run.
    Starting,
    /// It runs, or waits for something to do.
    Running,
    /// It stands still, with all that it has in memory.
    Paused,
    /// It is about to be off, or gone.
    Ending,
    /// It has shut down, and is still there.
    Off,
    /// It has crashed, and is still there.
    Crashed,
}

impl State {
    /// Whether it will do nothing any more by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Off | Self::Crashed)
    }
}

/// A machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Machine {
    /// What the provider calls it.
    pub id: MachineId,
    /// What we call it; may be empty where others make machines, too.
    pub name: String,
    /// What it does.
    pub state: State,
}

/// A machine's figures; none is there that its provider does not tell.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Stats {
    /// Which, and what it does.
    #[serde(flatten)]
    pub machine: Machine,
    /// Its memory, in KiB.
    pub memory_kib: Option<u64>,
    /// Its processors.
    pub processors: Option<u32>,
    /// The processor time that it has used.
    #[serde(rename = "cpu_seconds", serialize_with = "seconds")]
    pub cpu_time: Option<Duration>,
    /// The kind of machine, where there are kinds.
    pub kind: Option<String>,
    /// Its address, where the provider gives one.
    pub address: Option<String>,
}

impl Stats {
    /// No figures of a machine.
    pub fn none(machine: Machine) -> Self {
        Self {
            machine,
            memory_kib: None,
            processors: None,
            cpu_time: None,
            kind: None,
            address: None,
        }
    }
}

fn seconds<S: serde::Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(to)
}
