//! When requests are due.

use std::time::Duration;

/// A time in which the rate changes evenly from one value to another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Step {
    /// Requests a second at its beginning.
    pub(crate) from: f64,
    /// Requests a second at its end.
    pub(crate) to: f64,
    pub(crate) over: Duration,
}

impl Step {
    /// How many requests are due within so many seconds of it.
    fn due_within(&self, seconds: f64) -> f64 {
        let growth = (self.to - self.from) / self.over.as_secs_f64();
        (self.from + growth * seconds / 2.0) * seconds
    }

    /// After how many seconds so many are due. The inverse of `due_within`, in a form that is exact where the rate does not change.
    fn seconds_until(&self, due: f64) -> f64 {
        let growth = (self.to - self.from) / self.over.as_secs_f64();
        let root = (self.from * self.from + 2.0 * growth * due).max(0.0).sqrt();
        let seconds = 2.0 * due / (self.from + root);
        match seconds.is_finite() {
            true => seconds.min(self.over.as_secs_f64()),
            false => 0.0,
        }
    }
}

/// The times at which requests are due, from the beginning of the run: an iterator.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    steps: Vec<Step>,
    index: usize,
    /// When the step began.
    begun: Duration,
    /// How many requests were due when it began: what a step leaves of a request, the next one takes over.
    before: f64,
    /// How many there were.
    count: u64,
}

impl Schedule {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self {
            steps,
            index: 0,
            begun: Duration::ZERO,
            before: 0.0,
            count: 0,
        }
    }

    /// How long it is.
    pub(crate) fn length(&self) -> Duration {
        self.steps.iter().map(|step| step.over).sum()
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        loop {
            let step = self.steps.get(self.index)?;
            let wanted = self.count as f64 - self.before;
            let in_step = step.due_within(step.over.as_secs_f64());
            // The first one is due at once, and none at the very end.
            if wanted < in_step - 1e-9 {
                self.count += 1;
                let seconds = step.seconds_until(wanted.max(0.0));
                return Some(self.begun + Duration::from_secs_f64(seconds));
            }
            self.before += in_step;
            self.begun += step.over;
            self.index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: f64, to: f64, seconds: u64) -> Step {
        let over = Duration::from_secs(seconds);
        Step { from, to, over }
    }

    #[test]
    fn a_steady_rate_is_steady() {
        let times: Vec<_> = Schedule::new(vec![step(10.0, 10.0, 2)]).collect();
        assert_eq!(times.len(), 20);
        for (index, time) in times.iter().enumerate() {
            assert!((time.as_secs_f64() - index as f64 / 10.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_ramp_has_what_lies_under_it_and_grows() {
        let schedule = Schedule::new(vec![step(100.0, 1000.0, 60)]);
        assert_eq!(schedule.length(), Duration::from_secs(60));
        let times: Vec<_> = schedule.collect();
        assert_eq!(times.len(), 33_000);
        assert!(times.windows(2).all(|two| two[0] <= two[1]));
        let within = |from: u64, to: u64| {
            let range = Duration::from_secs(from)..Duration::from_secs(to);
            times.iter().filter(|time| range.contains(time)).count()
        };
        assert!((105..=110).contains(&within(0, 1)), "{}", within(0, 1));
        assert!((990..=995).contains(&within(59, 60)), "{}", within(59, 60));
    }

    #[test]
    fn steps_follow_each_other_and_may_be_silent() {
        let steps = vec![step(10.0, 10.0, 1), step(0.0, 0.0, 5), step(100.0, 0.0, 1)];
        let times: Vec<_> = Schedule::new(steps).collect();
        assert_eq!(times.len(), 60);
        assert!(times[9] < Duration::from_secs(1) && times[10] == Duration::from_secs(6));
        assert!(*times.last().expect("some") < Duration::from_secs(7));
    }
}
