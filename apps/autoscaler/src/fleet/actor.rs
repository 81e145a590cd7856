//! The actor that keeps a fleet as it should be.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use morgana::log;
use morgana_actors::{Actor, Address, Context, Failure, Flow, Timer};
use morgana_exec::{Seldom, Task};
use morgana_hal::Instant;
use morgana_http::Connect;
use serde::Serialize;

use super::{Hand, Health, Life, Memory, Operations, Rules, Step, View, plan};
use crate::peers::PeerError;
use crate::policy::{Policy, Scaler};
use crate::recorder::RecorderMessage;

/// How often a fleet looks at what is there.
const PERIOD: Duration = Duration::from_millis(250);
/// How long it makes nothing after the toolstack could not: doubled with each failure, up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));

/// What a fleet hears.
#[derive(Debug)]
pub enum FleetMessage {
    /// The load, in thousandths of what one machine is to bear.
    Load(u64),
    /// It is time to look.
    Look,
    /// What was in hand about a machine is over.
    Over(u32, Result<(), PeerError>),
}

/// How a fleet is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FleetState {
    /// Machines that there should be.
    pub wanted: usize,
    /// Machines that do their work.
    pub serving: usize,
    /// Machines that have begun and do not answer yet.
    pub starting: usize,
    /// Machines that finish what they have begun.
    pub leaving: usize,
    /// What went wrong the last time, if anything did.
    pub trouble: Option<String>,
}

/// A fleet.
pub struct Fleet<C: Connect> {
    operations: Rc<Operations<C>>,
    policy: Policy,
    rules: Rules,
    recorder: Address<RecorderMessage>,
    /// Once it is known what is there.
    scaler: Option<Scaler>,
    memory: Memory,
    /// What is in hand, as tasks.
    tasks: BTreeMap<u32, Task<()>>,
    trouble: Option<String>,
    /// Nothing is made before this time.
    rest: Option<Instant>,
    pause: Duration,
    failures: Seldom,
    timer: Option<Timer>,
}

impl<C: Connect + Clone> Fleet<C> {
    /// A fleet that knows nothing yet of what is there. It tells the recorder how it is.
    pub fn new(
        operations: Rc<Operations<C>>,
        policy: Policy,
        rules: Rules,
        recorder: Address<RecorderMessage>,
    ) -> Self {
        Self {
            operations,
            policy,
            rules,
            recorder,
            scaler: None,
            memory: Memory::default(),
            tasks: BTreeMap::new(),
            trouble: None,
            rest: None,
            pause: PAUSES.0,
            failures: Seldom::default(),
            timer: None,
        }
    }

    /// Looks at what is there, and begins the steps that it wants.
    async fn look(&mut self, context: &Context<FleetMessage>) {
        let view = match self.operations.view().await {
            Ok(view) => view,
            Err(error) => {
                self.fail(&error);
                let fleet = self.operations.names.fleet().to_string();
                let told = RecorderMessage::Trouble(fleet, error.to_string());
                let _ = self.recorder.try_send(told);
                return;
            }
        };
        let now = context.timers().now();
        let policy = self.policy;
        let scaler = self
            .scaler
            .get_or_insert_with(|| Scaler::new(policy, count(&view)));
        let wanted = scaler.wanted();
        let count = self.operations.names.count();
        let mut steps = plan(&view, wanted, count, &mut self.memory, &self.rules, now);
        if self.rest.is_some_and(|rest| now < rest) {
            steps.retain(|step| !matches!(step, Step::Create(_)));
        }
        while !steps.is_empty() {
            let number = steps[0].number();
            let rest = steps.split_off(steps.partition_point(|step| step.number() == number));
            self.begin(number, steps, context);
            steps = rest;
        }
        let mut state = state(&view, wanted, &self.memory);
        state.trouble = self.trouble.take();
        let told = RecorderMessage::Fleet(self.operations.names.fleet().to_string(), state);
        let _ = self.recorder.try_send(told);
    }

    /// Begins the steps about one machine, one after the other. Without a task for them, they are found again the next time.
    fn begin(&mut self, number: u32, steps: Vec<Step>, context: &Context<FleetMessage>) {
        let has = |wanted: fn(&Step) -> bool| steps.iter().any(wanted);
        let hand = if has(|step| matches!(step, Step::Create(_))) {
            Hand::Making
        } else if has(|step| matches!(step, Step::End(_))) {
            Hand::Ending
        } else {
            Hand::Telling
        };
        let (operations, own) = (Rc::clone(&self.operations), context.address());
        let task = context.tasks().spawn(async move {
            let mut done = Ok(());
            for step in steps {
                log::info!("{}", operations.describe(step));
                done = done.and(operations.take(step).await);
            }
            if let Some(own) = own.upgrade() {
                let _ = own.send(FleetMessage::Over(number, done)).await;
            }
        });
        if let Ok(task) = task {
            self.memory.in_hand.insert(number, hand);
            self.tasks.insert(number, task);
        }
    }

    /// What was in hand about a machine is over.
    fn over(&mut self, number: u32, done: Result<(), PeerError>, now: Instant) {
        self.tasks.remove(&number);
        let was_made = self.memory.in_hand.remove(&number) == Some(Hand::Making);
        match done {
            Ok(()) if was_made => (self.pause, self.rest) = (PAUSES.0, None),
            Ok(()) => {}
            Err(error) => {
                if was_made {
                    self.rest = Some(now + self.pause);
                    self.pause = (self.pause * 2).min(PAUSES.1);
                }
                self.fail(&error);
                self.trouble = Some(error.to_string());
            }
        }
    }

    fn fail(&mut self, error: &PeerError) {
        if let Some(times) = self.failures.again() {
            log::warn!("{} ({times} times): {error}", self.operations.names.fleet());
        }
    }
}

/// Machines that live.
fn count(view: &View) -> usize {
    let lives = view
        .machines
        .iter()
        .filter(|machine| machine.life == Life::Alive);
    lives.count()
}

fn state(view: &View, wanted: usize, memory: &Memory) -> FleetState {
    let Memory {
        leaving, in_hand, ..
    } = memory;
    let is_made = |hand: &&Hand| **hand == Hand::Making;
    let mut state = FleetState {
        wanted,
        starting: in_hand.values().filter(is_made).count(),
        ..FleetState::default()
    };
    for machine in &view.machines {
        if in_hand.get(&machine.number) == Some(&Hand::Making) {
            continue;
        }
        let member = view
            .members
            .iter()
            .flatten()
            .find(|member| member.number == machine.number);
        let works =
            view.members.is_none() || member.is_some_and(|member| member.health == Health::Healthy);
        match machine.life {
            Life::Alive if leaving.contains_key(&machine.number) => state.leaving += 1,
            Life::Alive if works => state.serving += 1,
            Life::Alive => state.starting += 1,
            Life::Over | Life::Dying => {}
        }
    }
    state
}

impl<C: Connect + Clone> Actor for Fleet<C> {
    type Message = FleetMessage;

    async fn started(&mut self, context: &Context<FleetMessage>) -> Result<(), Failure> {
        let timer = context.every(PERIOD, || FleetMessage::Look);
        self.timer = Some(timer.map_err(|_| Failure("no task for a timer"))?);
        Ok(())
    }

    async fn handle(
        &mut self,
        message: FleetMessage,
        context: &Context<FleetMessage>,
    ) -> Result<Flow, Failure> {
        let now = context.timers().now();
        match message {
            FleetMessage::Look => self.look(context).await,
            FleetMessage::Over(number, done) => self.over(number, done, now),
            FleetMessage::Load(load) => {
                let Some(scaler) = &mut self.scaler else {
                    return Ok(Flow::Continue);
                };
                let before = scaler.wanted();
                let wanted = scaler.hear(load, now);
                if wanted != before {
                    let fleet = self.operations.names.fleet();
                    log::info!("{fleet}: {wanted} wanted, {before} before");
                    self.look(context).await;
                }
            }
        }
        Ok(Flow::Continue)
    }
}
