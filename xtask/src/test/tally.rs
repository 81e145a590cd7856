//! What passed and what failed.

use std::mem;
use std::time::{Duration, Instant};

use anyhow::Result;

/// When the lines of a suite are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Voice {
    /// At once.
    #[default]
    AtOnce,
    /// All of them when the suite has ended: others run beside it.
    BySuite,
}

/// The counts, and what failed by name.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    voice: Voice,
    /// What is still to be printed.
    kept: String,
    passed: u64,
    failures: Vec<String>,
    counted_failures: u64,
    second_tries: Vec<String>,
    skipped: Vec<String>,
    /// What the suites took.
    times: Vec<(String, Duration)>,
}

impl Tally {
    /// One that prints its lines so.
    pub(crate) fn new(voice: Voice) -> Tally {
        Tally {
            voice,
            ..Tally::default()
        }
    }

    /// When the lines are printed.
    pub(crate) fn voice(&self) -> Voice {
        self.voice
    }

    /// Prints a line, now or when its suite ends.
    pub(crate) fn say(&mut self, line: &str) {
        match self.voice {
            Voice::AtOnce => println!("{line}"),
            Voice::BySuite => {
                self.kept.push_str(line);
                self.kept.push('\n');
            }
        }
    }

    /// Runs a suite, whose time is told at the end.
    pub(crate) fn suite(&mut self, name: &str, run: impl FnOnce(&mut Self)) {
        let start = Instant::now();
        run(self);
        print!("{}", mem::take(&mut self.kept));
        self.times.push((name.to_owned(), start.elapsed()));
    }

    /// Adds what another has counted.
    pub(crate) fn absorb(&mut self, other: Tally) {
        self.passed += other.passed;
        self.counted_failures += other.counted_failures;
        self.failures.extend(other.failures);
        self.second_tries.extend(other.second_tries);
        self.skipped.extend(other.skipped);
        self.times.extend(other.times);
    }

    /// Runs one test and prints its line.
    pub(crate) fn test(&mut self, name: &str, test: impl FnOnce() -> Result<()>) {
        let start = Instant::now();
        let result = test();
        self.record(name, start, result);
    }

    /// Runs a test, and once more if it fails: the testbed has rare faults that are not the guest's. It says so.
    pub(crate) fn test_twice(&mut self, name: &str, test: impl Fn() -> Result<()>) {
        let start = Instant::now();
        let mut result = test();
        if let Err(error) = &result {
            self.say(&format!("again  {name}: {error:#}"));
            result = test();
            if result.is_ok() {
                self.second_tries.push(name.to_owned());
            }
        }
        self.record(name, start, result);
    }

    /// Says that a test cannot run on this machine, and why; says so again at the end.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        self.say(&format!("skip   {name}: {why}"));
        self.skipped.push(name.to_owned());
    }

    fn record(&mut self, name: &str, start: Instant, result: Result<()>) {
        let seconds = start.elapsed().as_secs_f64();
        match result {
            Ok(()) => {
                self.say(&format!("ok     {name} ({seconds:.1} s)"));
                self.passed += 1;
            }
            Err(error) => {
                self.say(&format!("FAILED {name} ({seconds:.1} s): {error:#}"));
                self.failures.push(name.to_owned());
            }
        }
    }

    /// Adds tests that another program ran and printed.
    pub(crate) fn add(&mut self, passed: u64, failed: u64) {
        self.passed += passed;
        self.counted_failures += failed;
    }

    /// How many failed.
    pub(crate) fn failed(&self) -> u64 {
        self.counted_failures + self.failures.len() as u64
    }

    /// Prints the end: what the suites took, what failed, what did not run, what passed at the second try only, and the counts on a line of their own.
    pub(crate) fn finish(&self) {
        for (name, time) in &self.times {
            println!("{name} took {} s", time.as_secs());
        }
        for name in &self.second_tries {
            println!("passed at the second try only: {name}");
        }
        for name in &self.skipped {
            println!("skipped: {name}");
        }
        for name in &self.failures {
            println!("failed: {name}");
        }
        println!("{} passed, {} failed", self.passed, self.failed());
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use anyhow::bail;

    use super::{Tally, Voice};

    #[test]
    fn counts() {
        let mut tally = Tally::default();
        tally.test("good", || Ok(()));
        tally.test("bad", || bail!("why"));
        tally.add(3, 2);
        tally.skip("missing", "why");
        assert_eq!((tally.passed, tally.failed()), (4, 3));
        let mut other = Tally::new(Voice::BySuite);
        other.suite("beside", |tally| tally.test("worse", || bail!("why")));
        assert!(other.kept.is_empty());
        tally.absorb(other);
        assert_eq!((tally.passed, tally.failed()), (4, 4));
    }

    #[test]
    fn tries_twice_and_remembers() {
        let mut tally = Tally::default();
        let tries = Cell::new(0);
        tally.test_twice("flaky", || {
            tries.set(tries.get() + 1);
            if tries.get() == 1 {
                bail!("once")
            } else {
                Ok(())
            }
        });
        assert_eq!(
            (tally.passed, tally.failed(), tally.second_tries.len()),
            (1, 0, 1)
        );
        tally.test_twice("broken", || bail!("always"));
        assert_eq!(
            (tally.passed, tally.failed(), tally.second_tries.len()),
            (1, 1, 1)
        );
    }
}
