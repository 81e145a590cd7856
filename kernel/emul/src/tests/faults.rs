//! What goes wrong on purpose: when it is planned, and not otherwise.

use core::num::NonZeroU64;
use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;

use morgana_hal::{
    Channel, Clock, DomId, EventError, Events, Exit, GrantRef, Idle, Memory, MemoryError, Pages,
    Platform, Port, SharedPages,
};

use super::{Pair, domain, pair};
use crate::{
    DomainConfig, Fault, FaultPlan, Hypervisor, Lockstep, Odds, Outcome, StuckReason, Trouble,
};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);
const LATE: Duration = Duration::from_millis(3);

fn plan(faults: impl IntoIterator<Item = Fault>) -> FaultPlan {
    faults.into_iter().fold(FaultPlan::new(), FaultPlan::with)
}

/// Domain 1 sends three events, a second apart; domain 0 notes when what came.
fn heard(seed: u64, faults: FaultPlan) -> Vec<(u64, u64)> {
    let mut world = Lockstep::new(seed);
    let create = || world.hypervisor().create(DomainConfig::default()).unwrap();
    let (receiver, sender) = (create(), create());
    let heard = Rc::new(RefCell::new(Vec::new()));
    let port = Rc::new(RefCell::new(None));
    let (tell, ask) = (port.clone(), port);
    world.start(receiver, {
        let heard = heard.clone();
        move |platform, tasks| async move {
            let channel = platform.events().listen(D1).unwrap();
            let _other = platform.events().listen(D1).unwrap();
            tell.replace(Some(channel.port()));
            let mut seen = channel.count();
            let end = Duration::from_millis(3_500);
            let _ = tasks
                .timers()
                .timeout(end, async {
                    loop {
                        seen = channel.after(seen).await;
                        heard
                            .borrow_mut()
                            .push((platform.clock().now().as_millis(), seen));
                    }
                })
                .await;
            Exit::Poweroff
        }
    });
    world.start(sender, move |platform, tasks| async move {
        tasks.timers().sleep(Duration::from_millis(500)).await;
        let port = ask.borrow().unwrap();
        let channel = platform.events().connect(D0, port).unwrap();
        platform.hypervisor().unwrap().inject(faults);
        for _ in 0..3 {
            channel.notify();
            tasks.timers().sleep(Duration::from_secs(1)).await;
        }
        Exit::Poweroff
    });
    world.run().unwrap();
    world.hypervisor().assert_clean();
    heard.take()
}

#[test]
fn events_are_lost_late_and_repeated() {
    let without = [(500, 1), (1_500, 2), (2_500, 3)];
    assert_eq!(heard(1, FaultPlan::new()), without);
    let lost = plan([Fault::new(D0, Trouble::LostEvent, 2)]);
    assert_eq!(heard(1, lost), [(500, 1), (2_500, 2)]);
    let late = plan([Fault::new(D0, Trouble::LateEvent(LATE), 1).times(2)]);
    assert_eq!(heard(1, late), [(503, 1), (1_503, 2), (2_500, 3)]);
    let twice = plan([Fault::new(D0, Trouble::RepeatedEvent(LATE), 3)]);
    let with_another = [(500, 1), (1_500, 2), (2_500, 3), (2_503, 4)];
    assert_eq!(heard(1, twice), with_another);
    // Another domain's trouble is not this one's.
    let elsewhere = plan([Fault::new(D1, Trouble::LostEvent, 1).times(9)]);
    assert_eq!(heard(1, elsewhere), without);
}

#[test]
fn a_spurious_event_comes_to_all_open_ports() {
    let mut pair = pair();
    let (receiver, sender) = (&pair.first.0, &pair.second.0);
    let one = receiver.events().listen(D1).unwrap();
    let other = receiver.events().listen(D1).unwrap();
    let caller = sender.events().connect(D0, one.port()).unwrap();
    let spurious = Fault::new(D0, Trouble::SpuriousEvents, 1);
    pair.hypervisor.inject(plan([spurious]));
    for expected in [(1, 1), (2, 1)] {
        caller.notify();
        pair.first.1.dispatch();
        assert_eq!((one.count(), other.count()), expected);
    }
    let struck = pair.hypervisor.struck();
    assert_eq!(struck.len(), 1);
    assert_eq!(struck[0].fault, spurious);
}

#[test]
fn a_late_event_wakes_a_thread_that_sleeps() {
    let hypervisor = Hypervisor::new();
    hypervisor.inject(plan([
        Fault::new(D0, Trouble::LateEvent(LATE), 1).times(u64::MAX)
    ]));
    let (receiver, sender) = (domain(&hypervisor), domain(&hypervisor));
    let (tell, told) = std::sync::mpsc::channel();
    let receiver = receiver.spawn(move |platform, _, _| async move {
        let channel = platform.events().listen(D1).unwrap();
        tell.send((channel.port(), platform.clock().now())).unwrap();
        channel.after(0).await;
        platform.clock().now()
    });
    let (port, before) = told.recv().unwrap();
    let sender = sender.spawn(move |platform, _, _| async move {
        platform.events().connect(D0, port).unwrap().notify();
    });
    let Outcome::Exited(after) = receiver.unwrap().join() else {
        panic!("nobody kills here");
    };
    assert!(after - before >= LATE);
    sender.unwrap().join();
    hypervisor.assert_clean();
}

#[test]
fn a_closed_port_gets_no_late_event() {
    let mut pair = pair();
    let (receiver, sender) = (&pair.first.0, &pair.second.0);
    let channel = receiver.events().listen(D1).unwrap();
    let caller = sender.events().connect(D0, channel.port()).unwrap();
    let soon = Trouble::LateEvent(Duration::from_nanos(1));
    pair.hypervisor.inject(plan([Fault::new(D0, soon, 1)]));
    caller.notify();
    let port = channel.port();
    drop(channel);
    let next = receiver.events().listen(D1).unwrap();
    assert_eq!(next.port(), port);
    while receiver.clock().now().as_nanos() < 1_000 {}
    pair.first.1.dispatch();
    assert_eq!(next.count(), 0);
}

#[test]
fn tables_are_full_when_they_are_told_to_be() {
    let Pair {
        hypervisor,
        first,
        second,
    } = pair();
    hypervisor.inject(plan([
        Fault::new(D0, Trouble::FullGrants, 2),
        Fault::new(D0, Trouble::NoMemory, 3),
        Fault::new(D0, Trouble::FullPorts, 1).times(2),
        Fault::new(D1, Trouble::FullMappings, 2),
    ]));
    let (memory, events) = (first.0.memory(), first.0.events());
    let shared = memory.share(D1, 2).unwrap();
    assert_eq!(memory.share(D1, 1).err(), Some(MemoryError::NoFreeGrant));
    let refused = memory.share_read_only(D1, 1);
    assert_eq!(refused.err(), Some(MemoryError::OutOfMemory));
    drop(memory.share(D1, 1).unwrap());
    for _ in 0..2 {
        assert_eq!(events.listen(D1).err(), Some(EventError::NoFreePort));
    }
    drop(events.listen(D1).unwrap());
    // The second page fails, so the first is not mapped either.
    let refused = second.0.memory().import(D0, shared.grants());
    assert_eq!(refused.err(), Some(MemoryError::NoAddressSpace));
    drop(second.0.memory().import(D0, shared.grants()).unwrap());
    drop(shared);
    assert_eq!(hypervisor.struck().len(), 5);
    hypervisor.assert_clean();
}

/// What the two tell each other, outside of the machine.
#[derive(Default)]
struct Told(RefCell<Option<(Port, GrantRef)>>);

/// Two domains that use all kinds of calls; whether both came to the end of it.
fn life_and_death(faults: FaultPlan) -> (bool, bool) {
    let mut world = Lockstep::new(5);
    let create = || world.hypervisor().create(DomainConfig::default()).unwrap();
    let (server, client) = (create(), create());
    world.inject(faults);
    let told = Rc::new(Told::default());
    let pause = Duration::from_millis(10);
    world.start(server, {
        let told = told.clone();
        move |platform, tasks| async move {
            let memory = platform.memory();
            let (Ok(shared), Ok(channel)) = (memory.share(D1, 2), platform.events().listen(D1))
            else {
                return Exit::Crash;
            };
            told.0.replace(Some((channel.port(), shared.grants()[0])));
            let heard = tasks.timers().timeout(pause, channel.after(0)).await;
            channel.notify();
            tasks.timers().sleep(pause).await;
            heard.map_or(Exit::Crash, |_| Exit::Poweroff)
        }
    });
    world.start(client, move |platform, tasks| async move {
        tasks.timers().sleep(Duration::from_millis(1)).await;
        let Some((port, grant)) = told.0.take() else {
            return Exit::Crash;
        };
        let (memory, events) = (platform.memory(), platform.events());
        let (Ok(pages), Ok(channel)) = (memory.import(D0, &[grant]), events.connect(D0, port))
        else {
            return Exit::Crash;
        };
        pages.region().write(0, b"hello");
        channel.notify();
        let seen = channel.count();
        let heard = tasks.timers().timeout(pause, channel.after(seen)).await;
        heard.map_or(Exit::Crash, |_| Exit::Poweroff)
    });
    world.run().unwrap();
    world.hypervisor().assert_clean();
    let done = |id| world.exit(id) == Some(Exit::Poweroff);
    (done(D0), done(D1))
}

#[test]
fn a_domain_may_die_at_any_call_and_leaves_nothing() {
    assert_eq!(life_and_death(FaultPlan::new()), (true, true));
    // More than either makes, those of dropping everything included.
    const CALLS: u64 = 12;
    for victim in [D0, D1] {
        let deaths = (1..=CALLS).map(|call| Fault::new(victim, Trouble::Death, call));
        let outcomes: Vec<_> = deaths.map(|death| life_and_death(plan([death]))).collect();
        assert_ne!(outcomes[0], (true, true));
        assert_eq!(outcomes[CALLS as usize - 1], (true, true));
    }
}

#[test]
fn a_deadlock_tells_the_faults_that_led_to_it() {
    let mut world = Lockstep::new(9);
    let domain = world.hypervisor().create(DomainConfig::default()).unwrap();
    let lost = Fault::new(D0, Trouble::LostEvent, 1).times(2);
    world.inject(plan([lost]));
    world.start(domain, |platform, _| async move {
        let channel = platform.events().listen(D0).unwrap();
        let caller = platform.events().connect(D0, channel.port()).unwrap();
        caller.notify();
        channel.after(0).await;
        Exit::Poweroff
    });
    let stuck = world.run().unwrap_err();
    assert_eq!(stuck.reason, StuckReason::Deadlock);
    assert_eq!(
        stuck.to_string(),
        "seed 9: deadlock after 1 turns; not ended: d0; d0: lost event at 1, 2 times"
    );
}

#[test]
fn a_seed_is_a_plan() {
    let odds = Odds {
        domains: vec![D0, D1],
        troubles: vec![
            Trouble::LostEvent,
            Trouble::FullGrants,
            Trouble::LateEvent(LATE),
        ],
        faults: 4,
        within: NonZeroU64::new(10).unwrap(),
    };
    let mut plans = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let made = FaultPlan::random(seed, &odds);
        assert_eq!(made, FaultPlan::random(seed, &odds));
        assert_eq!(made.faults().len(), 4);
        assert!(made.faults().iter().all(|fault| fault.at.get() <= 10));
        assert_eq!(heard(seed, made.clone()), heard(seed, made.clone()));
        plans.insert(made.to_string());
    }
    assert_eq!(plans.len(), 20);
    let nobody = Odds {
        domains: Vec::new(),
        ..odds
    };
    assert!(FaultPlan::random(1, &nobody).is_empty());
}
