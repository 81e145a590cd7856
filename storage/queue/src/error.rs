//! What the queue refuses.

use core::fmt;

/// Why an operation was refused. The queue is then as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueError {
    /// A limit on jobs, bytes or remembered keys is reached: try later.
    Full,
    /// The payload or the key is longer than the limit.
    TooLarge,
    /// The lease has ended, was given to another, or never was.
    NoLease,
    /// No dead letter has this number.
    NoDeadLetter,
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the queue is full",
            Self::TooLarge => "the payload or key is too large",
            Self::NoLease => "no such lease",
            Self::NoDeadLetter => "no such dead letter",
        })
    }
}

impl core::error::Error for QueueError {}
