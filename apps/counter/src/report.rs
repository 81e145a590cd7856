//! What became of the requests to a counter.

use core::fmt;
use core::time::Duration;

use morgana_actors::{Ended, RequestError};

/// What became of all requests to one counter, up to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that ended since the counter's node was gone.
    pub peer_gone: u64,
    /// Requests whose time was over.
    pub late: u64,
    /// Requests that ended for another reason.
    pub otherwise: u64,
    /// The longest that one took beyond its time.
    pub beyond: Duration,
    /// What whoever watched the counter was told.
    pub told: Option<Ended>,
}

impl Report {
    /// Counts a request, which took some time and might have taken another one.
    pub(crate) fn count(
        &mut self,
        answer: Result<u64, RequestError>,
        took: Duration,
        deadline: Duration,
    ) {
        *match answer {
            Ok(_) => &mut self.answered,
            Err(RequestError::PeerGone) => &mut self.peer_gone,
            Err(RequestError::Late) => &mut self.late,
            Err(_) => &mut self.otherwise,
        } += 1;
        self.beyond = self.beyond.max(took.saturating_sub(deadline));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "requests: {} answered, {} peer gone, {} late, {} otherwise, {} ms beyond the deadline; told: ",
            self.answered,
            self.peer_gone,
            self.late,
            self.otherwise,
            self.beyond.as_millis()
        )?;
        match self.told {
            Some(ended) => ended.fmt(f),
            None => f.write_str("nothing"),
        }
    }
}
