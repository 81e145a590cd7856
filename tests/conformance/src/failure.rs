//! What is wrong, in words for whoever reads the log.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// What is wrong with the platform, or what kept the check from finding out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure(String);

/// How a check went.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// In these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: core::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(format!("{error}"))
    }
}

/// Leaves the check with a failure unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::Failure::new(alloc::format!($($message)+)));
        }
    };
}
pub(crate) use ensure;
