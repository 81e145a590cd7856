//! Failures that name the key.

use alloc::string::{String, ToString};
use core::fmt;

use crate::Error;

/// A key could not be read, or is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyError {
    /// The key's path, as it was asked for.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The request failed.
    Request(Error),
    /// The value is not text.
    NotText,
    /// The value is not a number of the wanted type.
    NotANumber,
    /// The value is none of those that the key can have.
    Unknown,
}

impl KeyError {
    /// The key at `path` has `problem`.
    pub fn new(path: &str, problem: Problem) -> Self {
        Self {
            path: path.to_string(),
            problem,
        }
    }

    /// A function for `map_err` on requests about `path`.
    pub fn at(path: &str) -> impl Fn(Error) -> Self {
        move |error| Self::new(path, Problem::Request(error))
    }

    /// Whether there is no such key.
    pub fn is_not_found(&self) -> bool {
        matches!(&self.problem, Problem::Request(error) if error.is_not_found())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::NotText => f.write_str("the value is not text"),
            Self::NotANumber => f.write_str("the value is not a number in range"),
            Self::Unknown => f.write_str("the value is none that is known"),
        }
    }
}

impl core::error::Error for KeyError {}
