//! The end of a run that does not end.

use core::fmt;

use morgana_hal::DomId;

use crate::FaultPlan;

/// Why a run could not go on. Shows what leads there again: the seed and the faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stuck {
    /// The run's seed.
    pub seed: u64,
    /// After how many turns.
    pub turns: u64,
    /// The domains that have not ended.
    pub waiting: Vec<DomId>,
    /// Whether it went on and on, or nobody had anything to do.
    pub reason: StuckReason,
    /// What went wrong on purpose.
    pub faults: FaultPlan,
}

/// See [`Stuck`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StuckReason {
    /// Every task waits for something that nobody will bring.
    Deadlock,
    /// The limit of turns was reached.
    TurnLimit,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, turns, .. } = self;
        match self.reason {
            StuckReason::Deadlock => write!(f, "seed {seed}: deadlock after {turns} turns;")?,
            StuckReason::TurnLimit => write!(f, "seed {seed}: no end after {turns} turns;")?,
        }
        f.write_str(" not ended:")?;
        for id in &self.waiting {
            write!(f, " {id}")?;
        }
        if !self.faults.is_empty() {
            write!(f, "; {}", self.faults)?;
        }
        Ok(())
    }
}

impl core::error::Error for Stuck {}
