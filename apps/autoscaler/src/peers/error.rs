//! What goes wrong with another program.

use alloc::string::String;
use core::fmt;

use morgana_http::{Answer, AskError};

/// What goes wrong with another program. Its name comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerError {
    /// It does not answer.
    Away(&'static str, AskError),
    /// It answers with a status that says no, and perhaps why.
    Refused(&'static str, u16, String),
    /// Its answer is not what was asked for.
    Senseless(&'static str),
}

/// Bytes of a reason at the most.
const REASON: usize = 200;

impl PeerError {
    /// From an answer that says no.
    pub(super) fn refused(peer: &'static str, answer: &Answer) -> Self {
        let told = String::from_utf8_lossy(&answer.content);
        let told = told.chars().filter(|letter| !letter.is_control());
        Self::Refused(peer, answer.status.code(), told.take(REASON).collect())
    }

    /// Whether it may be otherwise if there is more room: 503 (RFC 9110 §15.6.4).
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Refused(_, 503, _))
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(peer, error) => write!(f, "{peer}: {error}"),
            Self::Refused(peer, status, told) => write!(f, "{peer}: {status} {told}"),
            Self::Senseless(peer) => write!(f, "{peer}: an answer without sense"),
        }
    }
}

impl core::error::Error for PeerError {}
