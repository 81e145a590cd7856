//! Telling of what happens often, seldom.

/// Counts, and says whether this time is to be told of: the first, the second, the fourth, and so on.
#[derive(Debug, Default)]
pub(crate) struct Seldom(u64);

impl Seldom {
    /// How often it happened, if that is to be told.
    pub(crate) fn again(&mut self) -> Option<u64> {
        self.0 += 1;
        self.0.is_power_of_two().then_some(self.0)
    }
}
