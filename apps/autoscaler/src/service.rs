//! The actors, and who supervises them.

use alloc::rc::Rc;
use core::time::Duration;

use morgana_actors::{
    Address, Backoff, Child, ChildOptions, Intensity, Strategy, Supervision, Supervisor,
};
use morgana_exec::{Handle, TooManyTasks};
use morgana_http::Connect;

use crate::fleet::{Fleet, FleetMessage, Kind, Operations, Rules};
use crate::names::Names;
use crate::peers::{Balancer, Queue, Toolstack};
use crate::recorder::{Recorder, RecorderMessage};
use crate::sampler::Sampler;
use crate::words::{Machines, Words};

/// The port of web machines and workers.
const PORT: u16 = 80;
/// Ended actors begin anew after so long.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    most: Duration::from_secs(5),
};

/// The running service.
#[derive(Debug)]
pub struct Service {
    /// Who remembers.
    pub recorder: Address<RecorderMessage>,
    /// Ends when an actor fails too often.
    pub supervision: Supervision,
}

/// Starts the actors: the recorder, a fleet of web machines and one of workers, and the sampler. Whichever fails begins anew, and finds what is there; the others go on.
///
/// # Errors
///
/// There is no task for the supervisor.
pub fn start<C: Connect + Clone>(
    words: &Words,
    connect: &C,
    tasks: &Handle,
    seed: u64,
) -> Result<Service, TooManyTasks> {
    let timers = tasks.timers();
    let balancer = Balancer::new(connect.clone(), words.balancer, timers.clone());
    let balancer = Rc::new(balancer);
    let address = words.toolstack;
    let toolstack = Toolstack::new(connect.clone(), address, &words.token, timers.clone());
    let toolstack = Rc::new(toolstack);
    let queue = words.queue.map(|address| {
        let queue = Queue::new(connect.clone(), address, timers.clone());
        Rc::new(queue)
    });

    let (recorder, recording) = Child::actor(ChildOptions::DEFAULT, Recorder::default);
    let fleet = |name: &str, machines: &Machines, kind: Kind<C>| {
        let operations = Rc::new(Operations {
            names: Names::new(name.into(), machines.addresses, PORT),
            guest: machines.guest.clone(),
            kind,
            toolstack: Rc::clone(&toolstack),
            timers: timers.clone(),
        });
        let (policy, recorder) = (machines.policy, recorder.clone());
        let make = move || {
            let (operations, recorder) = (Rc::clone(&operations), recorder.clone());
            Fleet::new(operations, policy, Rules::DEFAULT, recorder)
        };
        Child::actor::<Fleet<C>>(ChildOptions::DEFAULT, make)
    };
    let (web, keeping_web) = fleet("web", &words.web, Kind::Served(Rc::clone(&balancer)));
    let workers: Option<(Address<FleetMessage>, Child)> = words
        .workers
        .as_ref()
        .map(|machines| fleet("worker", machines, Kind::Working(connect.clone())));

    let intensity = Intensity {
        restarts: 10,
        within: Duration::from_secs(60),
    };
    let mut supervisor = Supervisor::new(Strategy::OneForOne, intensity, BACKOFF, seed)
        .with(recording)
        .with(keeping_web);
    let mut working = None;
    if let Some((address, child)) = workers {
        working = Some(address);
        supervisor = supervisor.with(child);
    }
    let targets = words.targets;
    let told = recorder.clone();
    let (_, sampling) = Child::actor(ChildOptions::DEFAULT, move || {
        Sampler::new(
            Rc::clone(&balancer),
            queue.clone(),
            targets,
            web.clone(),
            working.clone(),
            told.clone(),
        )
    });
    let supervision = supervisor.with(sampling).start(tasks)?;
    Ok(Service {
        recorder,
        supervision,
    })
}
