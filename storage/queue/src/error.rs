//! What the queue refuses, and what fails.

use core::fmt;

use morgana_block::BlockError;

/// Why an operation was refused: then the queue is as it was before. Or that its device has failed.
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
    /// The device has failed, now or before. Whether what was asked for is durable is not known, and the queue does nothing more until it is opened again.
    Device(BlockError),
    /// A queue elsewhere cannot be reached: nothing was done.
    Unreachable,
    /// A queue elsewhere has not answered: it is not known whether it was done.
    Unknown,
    /// A queue elsewhere has answered what makes no sense.
    Peer,
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Device(error) => return error.fmt(f),
            Self::Full => "the queue is full",
            Self::TooLarge => "the payload or key is too large",
            Self::NoLease => "no such lease",
            Self::NoDeadLetter => "no such dead letter",
            Self::Unreachable => "the queue cannot be reached; nothing was done",
            Self::Unknown => "the queue has not answered: unknown whether it was done",
            Self::Peer => "the queue has answered what makes no sense",
        })
    }
}

impl core::error::Error for QueueError {}

/// Why a device could not be opened as a queue. Nothing was changed on it, but after [`Device`](Self::Device).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The device has less room than the limits ask for (`Limits::device_bytes`), or than its jobs do.
    TooSmall,
    /// A payload or key may not have so many bytes (`MAX_PAYLOAD`, `MAX_KEY`).
    Limits,
    /// Something else is on the device.
    Foreign,
    /// The queue was made on a device of another size, or with sectors of another size.
    Geometry,
    /// What is on the device is no queue any more.
    Damaged,
    /// The device has failed.
    Device(BlockError),
}

impl From<BlockError> for OpenError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Full => Self::TooSmall,
            error => Self::Device(error),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSmall => "the device is too small for such a queue",
            Self::Limits => "the limits are beyond what a queue can have",
            Self::Foreign => "the device has something other than a queue",
            Self::Geometry => "the queue was made on a device of another size",
            Self::Damaged => "the queue on the device is damaged",
            Self::Device(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for OpenError {}
