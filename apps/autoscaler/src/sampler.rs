//! The actor that asks for the figures and tells the fleets their load.

use alloc::rc::Rc;
use alloc::string::ToString;
use core::time::Duration;

use morgana::log;
use morgana_actors::{Actor, Address, Context, Failure, Flow, Timer};
use morgana_exec::{Seldom, join};
use morgana_hal::Instant;
use morgana_http::Connect;

use crate::fleet::FleetMessage;
use crate::peers::{Balancer, BalancerFigures, PeerError, Queue, QueueFigures};
use crate::policy::WHOLE;
use crate::recorder::{RecorderMessage, Traffic};

/// How often.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);

/// What one machine is to bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Requests a second of a web machine.
    pub rate: u64,
    /// Requests at a time of a web machine.
    pub requests: u64,
    /// Jobs of a worker, those that wait and that it does.
    pub jobs: u64,
}

/// Asks the balancer and the queue.
pub struct Sampler<C: Connect> {
    balancer: Rc<Balancer<C>>,
    queue: Option<Rc<Queue<C>>>,
    targets: Targets,
    web: Address<FleetMessage>,
    workers: Option<Address<FleetMessage>>,
    recorder: Address<RecorderMessage>,
    last: Option<(Instant, BalancerFigures)>,
    /// Requests a second in thousandths, smoothed.
    rate: u64,
    failures: Seldom,
    timer: Option<Timer>,
}

impl<C: Connect> Sampler<C> {
    /// One that has not asked yet. Without a queue there are no workers.
    pub fn new(
        balancer: Rc<Balancer<C>>,
        queue: Option<Rc<Queue<C>>>,
        targets: Targets,
        web: Address<FleetMessage>,
        workers: Option<Address<FleetMessage>>,
        recorder: Address<RecorderMessage>,
    ) -> Self {
        Self {
            balancer,
            queue,
            targets,
            web,
            workers,
            recorder,
            last: None,
            rate: 0,
            failures: Seldom::default(),
            timer: None,
        }
    }

    async fn sample(&mut self, context: &Context<()>) {
        let queue = async {
            match &self.queue {
                Some(queue) => Some(queue.figures().await),
                None => None,
            }
        };
        let (traffic, jobs) = join(self.balancer.figures(), queue).await;
        let traffic = match traffic {
            Ok(figures) => Some(self.traffic(figures, context.timers().now())),
            Err(error) => {
                // A new one counts from 0.
                self.last = None;
                self.fail("balancer", &error);
                None
            }
        };
        if let Some(traffic) = &traffic {
            let load = web_load(traffic, &self.targets);
            let _ = self.web.try_send(FleetMessage::Load(load));
        }
        let jobs = match jobs {
            Some(Ok(figures)) => Some(figures),
            Some(Err(error)) => {
                self.fail("queue", &error);
                None
            }
            None => None,
        };
        if let (Some(figures), Some(workers)) = (&jobs, &self.workers) {
            let load = work_load(figures, &self.targets);
            let _ = workers.try_send(FleetMessage::Load(load));
        }
        let told = RecorderMessage::Sample(traffic, jobs);
        let _ = self.recorder.try_send(told);
    }

    /// The figures since the last ones.
    fn traffic(&mut self, figures: BalancerFigures, now: Instant) -> Traffic {
        let mut traffic = Traffic {
            in_flight: figures.in_flight,
            waiting: figures.waiting,
            p50_us: figures.recent.latency.p50_us,
            p99_us: figures.recent.latency.p99_us,
            ..Traffic::default()
        };
        if let Some((then, last)) = &self.last {
            // A balancer that began anew counts from 0.
            let since = |now: u64, then: u64| if now >= then { now - then } else { now };
            let requests = since(figures.requests, last.requests);
            traffic.failed = since(figures.failed(), last.failed());
            let ms = u64::try_from(now.since(*then).as_millis()).unwrap_or(u64::MAX);
            let rate = requests.saturating_mul(1_000_000) / ms.max(1);
            self.rate = smooth(self.rate, rate);
        }
        traffic.rate_milli = self.rate;
        self.last = Some((now, figures));
        traffic
    }

    fn fail(&mut self, who: &str, error: &PeerError) {
        if let Some(times) = self.failures.again() {
            log::warn!("no figures ({times} times): {error}");
        }
        let told = RecorderMessage::Trouble(who.to_string(), error.to_string());
        let _ = self.recorder.try_send(told);
    }
}

/// A rise is believed at once, a fall by half.
const fn smooth(last: u64, new: u64) -> u64 {
    if new >= last {
        new
    } else {
        new + (last - new) / 2
    }
}

/// The load of the web machines, in thousandths of what one is to bear.
fn web_load(traffic: &Traffic, targets: &Targets) -> u64 {
    let by_rate = traffic.rate_milli / targets.rate.max(1);
    let at_a_time = traffic.in_flight.saturating_mul(WHOLE) / targets.requests.max(1);
    by_rate.max(at_a_time)
}

/// The load of the workers, in thousandths of what one is to bear.
fn work_load(figures: &QueueFigures, targets: &Targets) -> u64 {
    let jobs = figures.ready.saturating_add(figures.leased);
    jobs.saturating_mul(WHOLE) / targets.jobs.max(1)
}

impl<C: Connect> Actor for Sampler<C> {
    type Message = ();

    async fn started(&mut self, context: &Context<()>) -> Result<(), Failure> {
        let timer = context.every(PERIOD, || ());
        self.timer = Some(timer.map_err(|_| Failure("no task for a timer"))?);
        Ok(())
    }

    async fn handle(&mut self, (): (), context: &Context<()>) -> Result<Flow, Failure> {
        self.sample(context).await;
        Ok(Flow::Continue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: Targets = Targets {
        rate: 20,
        requests: 4,
        jobs: 5,
    };

    #[test]
    fn whichever_is_the_heavier_load_counts() {
        let traffic = |rate_milli, in_flight| Traffic {
            rate_milli,
            in_flight,
            ..Traffic::default()
        };
        assert_eq!(web_load(&traffic(50_000, 0), &TARGETS), 2_500);
        assert_eq!(web_load(&traffic(50_000, 16), &TARGETS), 4_000);
        let none = Targets {
            rate: 0,
            requests: 0,
            jobs: 0,
        };
        assert_eq!(web_load(&traffic(0, u64::MAX), &none), u64::MAX);
    }

    #[test]
    fn jobs_that_wait_and_that_are_done_count() {
        let figures = QueueFigures {
            ready: 7,
            leased: 3,
            delayed: 100,
            dead: 9,
        };
        assert_eq!(work_load(&figures, &TARGETS), 2_000);
    }

    #[test]
    fn a_fall_is_believed_slowly() {
        assert_eq!(smooth(100, 900), 900);
        assert_eq!(smooth(900, 100), 500);
        assert_eq!(smooth(1, 0), 0);
    }
}
