//! The command line.

use core::str::FromStr;
use core::time::Duration;

use morgana::{BadArgument, CommandLine};
use morgana_vifs::SourcePolicy;

/// What the command line says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arguments {
    pub(crate) sources: SourcePolicy,
    /// How often the counters are logged.
    pub(crate) report: Option<Duration>,
}

impl Arguments {
    pub(crate) fn parse(line: &CommandLine) -> Result<Self, BadArgument> {
        let Sources(sources) = line.parse("sources", Sources(SourcePolicy::OwnAddress))?;
        let report = match line.parse("report", 60)? {
            0 => None,
            seconds => Some(Duration::from_secs(seconds)),
        };
        Ok(Self { sources, report })
    }
}

/// Where interfaces lead to on Linux.
#[cfg(not(target_os = "none"))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cables {
    /// Each to a tap device of its own.
    Taps,
    /// All to one switch, as in a driver domain.
    Switch,
}

#[cfg(not(target_os = "none"))]
impl Cables {
    pub(crate) fn parse(line: &CommandLine) -> Result<Self, BadArgument> {
        line.parse("cables", Self::Taps)
    }
}

#[cfg(not(target_os = "none"))]
impl FromStr for Cables {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "taps" => Ok(Self::Taps),
            "switch" => Ok(Self::Switch),
            _ => Err(()),
        }
    }
}

struct Sources(SourcePolicy);

impl FromStr for Sources {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "own" => Ok(Self(SourcePolicy::OwnAddress)),
            "any" => Ok(Self(SourcePolicy::Any)),
            _ => Err(()),
        }
    }
}
