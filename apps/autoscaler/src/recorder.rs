//! The actor that remembers what was, for whoever looks at it.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use core::time::Duration;

use morgana_actors::{Actor, Context, Failure, Flow, Reply};
use morgana_hal::Instant;
use serde::Serialize;

use crate::fleet::FleetState;
use crate::peers::QueueFigures;

/// Samples that are kept: ten minutes of them. The oldest goes for a new one.
const SAMPLES: usize = 1_200;
/// Samples of one answer at the most.
const TOLD: usize = 300;
/// Jobs whose numbers are remembered, to tell those that were done twice.
const JOBS: usize = 4_096;
/// Fleets, and programs that are in trouble, at the most.
const NAMES: usize = 16;

/// Requests, between two samples or at one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Requests a second, in thousandths.
    pub rate_milli: u64,
    /// Requests that are under way.
    pub in_flight: u64,
    /// Those of them that wait for a machine.
    pub waiting: u64,
    /// Requests that came to nothing since the last sample.
    pub failed: u64,
    /// The median of how long answers took of late, in microseconds.
    pub p50_us: u64,
    /// The 99th percentile.
    pub p99_us: u64,
}

/// What the recorder hears.
#[derive(Debug)]
pub enum RecorderMessage {
    /// Figures; none if they could not be had.
    Sample(Option<Traffic>, Option<QueueFigures>),
    /// How a fleet is.
    Fleet(String, FleetState),
    /// A program is in trouble.
    Trouble(String, String),
    /// A worker has done a job.
    Done(u64),
    /// The samples from this number on, in JSON.
    Tell(u64, Reply<String>),
}

#[derive(Serialize)]
struct Sample {
    /// Milliseconds since the start.
    at: u64,
    #[serde(flatten)]
    traffic: Option<Traffic>,
    queue: Option<Jobs>,
    fleets: BTreeMap<String, FleetState>,
    /// Jobs that were done since the start.
    done: u64,
    /// Those of them that had been done before.
    repeated: u64,
}

#[derive(Serialize)]
struct Jobs {
    ready: u64,
    leased: u64,
    delayed: u64,
    dead: u64,
}

#[derive(Serialize)]
struct Told<'a> {
    /// The number of the first sample.
    from: u64,
    /// The number from which to ask the next time.
    next: u64,
    samples: &'a [&'a Sample],
    trouble: BTreeMap<&'a str, &'a str>,
}

/// Remembers samples.
#[derive(Default)]
pub struct Recorder {
    started: Option<Instant>,
    /// The number of the first sample that is kept.
    first: u64,
    samples: VecDeque<Sample>,
    fleets: BTreeMap<String, FleetState>,
    trouble: BTreeMap<String, (String, Instant)>,
    jobs: VecDeque<u64>,
    done: u64,
    repeated: u64,
}

/// How long it is told that a program was in trouble.
const TROUBLE: Duration = Duration::from_secs(10);

impl Recorder {
    fn sample(&mut self, traffic: Option<Traffic>, queue: Option<QueueFigures>, now: Instant) {
        let since = now.since(*self.started.get_or_insert(now));
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
            self.first += 1;
        }
        let queue = queue.map(|figures| Jobs {
            ready: figures.ready,
            leased: figures.leased,
            delayed: figures.delayed,
            dead: figures.dead,
        });
        self.samples.push_back(Sample {
            at: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            traffic,
            queue,
            fleets: self.fleets.clone(),
            done: self.done,
            repeated: self.repeated,
        });
        self.trouble
            .retain(|_, (_, when)| now.since(*when) < TROUBLE);
    }

    fn done(&mut self, job: u64) {
        self.done += 1;
        if self.jobs.contains(&job) {
            self.repeated += 1;
            return;
        }
        if self.jobs.len() == JOBS {
            self.jobs.pop_front();
        }
        self.jobs.push_back(job);
    }

    fn tell(&self, from: u64) -> String {
        let next = self.first + self.samples.len() as u64;
        // Whoever asks for what is not yet there has asked another incarnation.
        let from = if from > next { 0 } else { from };
        let from = from.max(self.first).max(next.saturating_sub(TOLD as u64));
        let skipped = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        let samples: alloc::vec::Vec<&Sample> = self.samples.iter().skip(skipped).collect();
        let trouble = self.trouble.iter();
        let told = Told {
            from,
            next,
            samples: &samples,
            trouble: trouble
                .map(|(who, (what, _))| (who.as_str(), what.as_str()))
                .collect(),
        };
        serde_json::to_string(&told).unwrap_or_default()
    }

    fn note<T>(map: &mut BTreeMap<String, T>, name: String, value: T) {
        if map.len() < NAMES || map.contains_key(&name) {
            map.insert(name, value);
        }
    }
}

impl Actor for Recorder {
    type Message = RecorderMessage;

    async fn handle(
        &mut self,
        message: RecorderMessage,
        context: &Context<RecorderMessage>,
    ) -> Result<Flow, Failure> {
        let now = context.timers().now();
        match message {
            RecorderMessage::Sample(traffic, jobs) => self.sample(traffic, jobs, now),
            RecorderMessage::Fleet(name, state) => {
                if let Some(trouble) = &state.trouble {
                    Self::note(&mut self.trouble, name.clone(), (trouble.clone(), now));
                }
                Self::note(&mut self.fleets, name, state);
            }
            RecorderMessage::Trouble(who, what) => {
                Self::note(&mut self.trouble, who, (what, now));
            }
            RecorderMessage::Done(job) => self.done(job),
            RecorderMessage::Tell(from, reply) => reply.send(self.tell(from)),
        }
        Ok(Flow::Continue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn told(recorder: &Recorder, from: u64) -> (u64, u64, usize) {
        let told: serde_json::Value = serde_json::from_str(&recorder.tell(from)).unwrap();
        let samples = told["samples"].as_array().unwrap();
        (
            told["from"].as_u64().unwrap(),
            told["next"].as_u64().unwrap(),
            samples.len(),
        )
    }

    #[test]
    fn samples_have_numbers_and_the_oldest_go() {
        let mut recorder = Recorder::default();
        assert_eq!(told(&recorder, 0), (0, 0, 0));
        for second in 0..SAMPLES as u64 + 10 {
            recorder.sample(Some(Traffic::default()), None, at(second));
        }
        let next = SAMPLES as u64 + 10;
        assert_eq!(told(&recorder, 0), (next - 300, next, TOLD));
        assert_eq!(told(&recorder, next - 3), (next - 3, next, 3));
        assert_eq!(told(&recorder, next), (next, next, 0));
        // From another incarnation's numbers.
        assert_eq!(told(&recorder, next + 1), (next - 300, next, TOLD));
    }

    #[test]
    fn a_job_that_was_done_before_is_told() {
        let mut recorder = Recorder::default();
        for job in [1, 2, 1, 3] {
            recorder.done(job);
        }
        assert_eq!((recorder.done, recorder.repeated), (4, 1));
        for job in 10..10 + JOBS as u64 {
            recorder.done(job);
        }
        assert_eq!(recorder.jobs.len(), JOBS);
    }
}
