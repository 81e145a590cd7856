//! Saying seldom what happens often.

/// For a task that runs for ever: what happens to it again and again it says ever more rarely, the first time, the second, the fourth and so on.
#[derive(Debug, Default)]
pub struct Seldom(u64);

impl Seldom {
    /// It has happened once more. How often, if that is to be said.
    pub fn again(&mut self) -> Option<u64> {
        self.0 += 1;
        self.0.is_power_of_two().then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_said() {
        let mut seldom = Seldom::default();
        let said = (1..=20).filter_map(|_| seldom.again());
        assert!(said.eq([1, 2, 4, 8, 16]));
    }
}
