//! What an operator may choose.

use crate::Rate;

/// How all guests are treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// What happens to output that nobody reads at the terminal.
    pub overflow: Overflow,
    /// How much of that is kept of a guest at the most, whatever the toolstack has written (`console/limit`), in bytes.
    pub most_unread: usize,
    /// Whether lines of the log begin with the time.
    pub stamps: Stamps,
    /// What the log has of terminals' control sequences.
    pub escapes: Escapes,
    /// How fast a guest may write.
    pub rate: Rate,
}

impl Default for Options {
    /// Up to 16 MiB are kept of each guest.
    fn default() -> Self {
        Self {
            overflow: Overflow::default(),
            most_unread: 16 << 20,
            stamps: Stamps::default(),
            escapes: Escapes::default(),
            rate: Rate::default(),
        }
    }
}

/// What happens to output that nobody reads at the terminal, beyond the limit of what is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overflow {
    /// The first half of the limit and the newest bytes stay, what is between them is dropped; after the guest has waited a second in vain.
    #[default]
    Discard,
    /// All stays, and the guest waits until it is read.
    Keep,
}

/// Whether lines of the log begin with the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stamps {
    /// They are as the guest wrote them.
    #[default]
    None,
    /// They begin with `[2026-11-26 09:30:00] `, in UTC.
    Time,
}

/// What the log has of terminals' control sequences. (Terminals get all as it is.)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Escapes {
    /// Each byte that could begin one is replaced, so that the log can be shown on any terminal.
    #[default]
    Replace,
    /// All as the guest wrote it.
    Keep,
}
