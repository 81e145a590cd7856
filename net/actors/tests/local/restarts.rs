//! Supervision.

use morgana_actors::{
    Address, Backoff, Child, ChildOptions, Ended, Failure, Intensity, RequestError, Restart, Stop,
    Strategy, Supervisor,
};
use proptest::prelude::*;

use crate::support::{Clerk, Log, MS, Message, run};

fn child(name: &'static str, restart: Restart, log: &Log) -> (Address<Message>, Child) {
    let log = log.clone();
    let options = ChildOptions {
        restart,
        patience: 20 * MS,
        ..ChildOptions::DEFAULT
    };
    Child::actor(options, move || Clerk::new(name, &log))
}

fn trio(strategy: Strategy, log: &Log) -> (Vec<Address<Message>>, Supervisor) {
    let backoff = Backoff {
        first: 10 * MS,
        most: 40 * MS,
    };
    let mut supervisor = Supervisor::new(strategy, Intensity::DEFAULT, backoff, 7);
    let mut addresses = Vec::new();
    for name in ["a", "b", "c"] {
        let (address, child) = child(name, Restart::Permanent, log);
        addresses.push(address);
        supervisor = supervisor.with(child);
    }
    (addresses, supervisor)
}

#[test]
fn the_strategy_says_who_is_restarted_and_in_which_order() {
    let cases: [(Strategy, &[&str]); 3] = [
        (Strategy::OneForOne, &["b starts"]),
        (Strategy::RestForOne, &["c stopped", "b starts", "c starts"]),
        (
            Strategy::OneForAll,
            &["c stopped", "a stopped", "a starts", "b starts", "c starts"],
        ),
    ];
    for (strategy, expected) in cases {
        let log = run(move |tasks, log| async move {
            let (addresses, supervisor) = trio(strategy, &log);
            let supervision = supervisor.start(&tasks).unwrap();
            tasks.timers().sleep(MS).await;
            addresses[1].send(Message::Fail).await.unwrap();
            tasks.timers().sleep(100 * MS).await;
            supervision.stop(Stop::Drain);
            assert_eq!(supervision.await, Ended::Stopped);
            assert!(addresses[0].is_closed());
        });
        let mut whole: Vec<&str> = vec!["a starts", "b starts", "c starts", "b failed: asked to"];
        whole.extend(expected);
        whole.extend(["c stopped", "b stopped", "a stopped"]);
        assert_eq!(log, whole, "{strategy:?}");
    }
}

#[test]
fn an_address_and_what_waits_outlive_a_restart_and_the_state_does_not() {
    run(|tasks, log| async move {
        let (addresses, supervisor) = trio(Strategy::OneForOne, &log);
        let _supervision = supervisor.start(&tasks).unwrap();
        let timers = tasks.timers();
        addresses[0].send(Message::Note(3)).await.unwrap();
        addresses[0].send(Message::Fail).await.unwrap();
        addresses[0].send(Message::Note(4)).await.unwrap();
        assert_eq!(
            addresses[0].request(&timers, 100 * MS, Message::Sum).await,
            Ok(4)
        );
    });
}

#[test]
fn too_many_restarts_end_the_supervisor_and_the_one_above_starts_it_anew() {
    let log = run(|tasks, log| async move {
        let (address, clerk) = child("a", Restart::Permanent, &log);
        let (other, sibling) = child("b", Restart::Permanent, &log);
        let intensity = Intensity {
            restarts: 1,
            within: 1_000 * MS,
        };
        let inner = Supervisor::new(Strategy::OneForOne, intensity, Backoff::NONE, 1).with(clerk);
        let outer = Supervisor::new(Strategy::OneForOne, intensity, Backoff::NONE, 1)
            .with(sibling)
            .with(inner.into_child(Restart::Permanent, 20 * MS));
        let supervision = outer.start(&tasks).unwrap();
        // One restart by the inner one, one of it by the outer one, one by the inner one, and then no more.
        for _ in 0..4 {
            address.send(Message::Fail).await.unwrap();
        }
        assert_eq!(
            supervision.await,
            Ended::Failed(Failure("too many restarts"))
        );
        assert!(other.is_closed() && address.is_closed());
    });
    assert_eq!(log.iter().filter(|line| *line == "a starts").count(), 4);
    assert_eq!(log.last().unwrap(), "b stopped");
}

#[test]
fn who_does_not_stop_in_time_is_dropped() {
    run(|tasks, log| async move {
        let (addresses, supervisor) = trio(Strategy::OneForOne, &log);
        let supervision = supervisor.start(&tasks).unwrap();
        let timers = tasks.timers();
        addresses[1].send(Message::Sleep(10_000)).await.unwrap();
        timers.sleep(MS).await;
        let before = timers.now();
        supervision.stop(Stop::Drop);
        assert_eq!(supervision.await, Ended::Stopped);
        assert_eq!(timers.now() - before, 20 * MS);
        let late = addresses[1].request(&timers, MS, Message::Sum).await;
        assert_eq!(late, Err(RequestError::Ended));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What runs after each end is what the children's rules say, and the same every time.
    #[test]
    fn rules_decide_who_runs(
        rules in proptest::collection::vec(0usize..3, 1..5),
        ends in proptest::collection::vec((0usize..4, any::<bool>()), 0..12),
    ) {
        let once = || {
            let (rules, ends) = (rules.clone(), ends.clone());
            run(move |tasks, log| async move {
                let intensity = Intensity { restarts: 100, within: 1_000 * MS };
                let mut supervisor = Supervisor::new(Strategy::OneForOne, intensity, Backoff::NONE, 3);
                let mut expected = Vec::new();
                let mut addresses = Vec::new();
                for &rule in &rules {
                    let rule = [Restart::Permanent, Restart::Transient, Restart::Temporary][rule];
                    let (address, child) = child("x", rule, &log);
                    supervisor = supervisor.with(child);
                    addresses.push(address);
                    expected.push((rule, true));
                }
                let _supervision = supervisor.start(&tasks).unwrap();
                for (index, failure) in ends {
                    let index = index % addresses.len();
                    let end = if failure { Message::Fail } else { Message::Finish };
                    let sent = addresses[index].send(end).await.is_ok();
                    assert_eq!(sent, expected[index].1);
                    expected[index].1 &= match expected[index].0 {
                        Restart::Permanent => true,
                        Restart::Transient => failure,
                        Restart::Temporary => false,
                    };
                    tasks.timers().sleep(MS).await;
                    for (address, (_, runs)) in addresses.iter().zip(&expected) {
                        assert_eq!(!address.is_closed(), *runs);
                    }
                }
            })
        };
        prop_assert_eq!(once(), once());
    }
}
