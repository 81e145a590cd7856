//! Spans of time.

/// The earliest and the latest of some times. Times are numbers whose unit only the user knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The earliest.
    pub first: u64,
    /// The latest.
    pub last: u64,
}

impl Span {
    /// That of no time at all.
    pub(crate) const NONE: Self = Self {
        first: u64::MAX,
        last: 0,
    };

    /// This one, grown by a time.
    pub(crate) fn with(self, time: u64) -> Self {
        Self {
            first: self.first.min(time),
            last: self.last.max(time),
        }
    }
}
