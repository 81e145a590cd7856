//! Back ends that come, drain and go, and the limits.

use std::time::Duration;

use morgana_balance::{
    AddError, Balancer, Choice, Config, Departure, Event, Lease, NoSuchBackend, Outcome, Probe,
    State,
};
use morgana_hal::Instant;

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// A balancer of back ends that are all well.
fn with(names: &[&'static str], config: Config) -> Balancer<&'static str> {
    let mut balancer = Balancer::new(config, at(0));
    for name in names {
        balancer.add(name, *name, at(0)).expect("there is room");
    }
    while let Some((id, _)) = balancer.next_check(at(0)) {
        balancer.checked(id, Probe::Passed, at(0));
    }
    balancer.take_events();
    balancer
}

fn go(balancer: &mut Balancer<&'static str>, ms: u64) -> Option<(Lease, &'static str)> {
    match balancer.choose(&[], at(ms)) {
        Choice::Go(lease, address) => Some((lease, address)),
        Choice::Wait => None,
    }
}

#[test]
fn names_are_checked_and_adding_twice_changes_nothing() {
    let config = Config {
        backends: 2,
        ..Config::DEFAULT
    };
    let mut balancer = Balancer::new(config, at(0));
    let long = "x".repeat(65);
    for name in ["", "a b", "a/b", "\u{e4}", &long] {
        assert_eq!(balancer.add(name, "1", at(0)), Err(AddError::BadName));
    }
    let first = balancer.add("a", "1", at(0));
    assert_eq!(balancer.add("a", "1", at(9)), first);
    assert_eq!(balancer.add("a", "2", at(9)), Err(AddError::NameInUse));
    assert!(balancer.add("b", "1", at(9)).is_ok());
    assert_eq!(balancer.add("c", "3", at(9)), Err(AddError::Full));
    assert_eq!(balancer.remove("c"), Err(NoSuchBackend));
    assert_eq!(balancer.remove("a"), Ok(()));
    let again = balancer.add("a", "2", at(9));
    assert!(
        again.is_ok() && again != first,
        "numbers are not used again"
    );
}

#[test]
fn one_that_drains_leaves_with_its_last_request() {
    let mut balancer = with(&["a"], Config::DEFAULT);
    let (lease, _) = go(&mut balancer, 1).expect("healthy");
    assert_eq!(balancer.drain("a", at(2)), Ok(()));
    assert_eq!(balancer.add("a", "a", at(2)), Err(AddError::Draining));
    assert!(go(&mut balancer, 3).is_none());
    assert_eq!(balancer.deadline(), Some(at(30_002)), "no checks any more");
    balancer.settle(at(4));
    assert_eq!(balancer.backends().len(), 1);
    balancer.end_attempt(lease, Outcome::Answered, at(5));
    assert!(balancer.backends().is_empty());
    assert_eq!(
        balancer.take_events(),
        [
            Event::State("a".into(), State::Draining),
            Event::Gone("a".into(), Departure::Drained)
        ]
    );
    assert_eq!(balancer.deadline(), None);
}

#[test]
fn one_that_drains_for_too_long_is_gone() {
    let mut balancer = with(&["a", "b"], Config::DEFAULT);
    let (lease, address) = go(&mut balancer, 0).expect("healthy");
    assert_eq!(address, "a");
    balancer.drain("a", at(10)).expect("there");
    balancer.drain("a", at(20_000)).expect("there");
    balancer.settle(at(30_009));
    assert_eq!(balancer.backends().len(), 2);
    balancer.settle(at(30_010));
    let gone = Event::Gone("a".into(), Departure::DrainedLate);
    assert_eq!(balancer.take_events().last(), Some(&gone));
    // Its request ends later, and disturbs nobody.
    balancer.end_attempt(lease, Outcome::Answered, at(40_000));
    assert_eq!(balancer.backends()[0].in_flight(), 0);
}

#[test]
fn an_idle_one_drains_at_once() {
    let mut balancer = with(&["a"], Config::DEFAULT);
    balancer.drain("a", at(1)).expect("there");
    assert!(balancer.backends().is_empty());
}

#[test]
fn what_is_full_has_others_wait() {
    let config = Config {
        per_backend: 2,
        waiting: 1,
        ..Config::DEFAULT
    };
    let mut balancer = with(&["a"], config);
    let (first, _) = go(&mut balancer, 1).expect("free");
    let (_second, _) = go(&mut balancer, 1).expect("free");
    assert!(go(&mut balancer, 1).is_none());
    assert!(balancer.enter_queue() && !balancer.enter_queue());
    balancer.end_attempt(first, Outcome::Answered, at(2));
    balancer.leave_queue();
    assert!(go(&mut balancer, 2).is_some() && balancer.enter_queue());
}

#[test]
fn a_new_one_gets_its_share_little_by_little() {
    let mut balancer = with(&["old"], Config::DEFAULT);
    balancer.add("new", "new", at(10_000)).expect("room");
    while let Some((id, _)) = balancer.next_check(at(10_000)) {
        balancer.checked(id, Probe::Passed, at(10_000));
    }
    let mut share = |ms: u64| {
        let leases: Vec<_> = (0..110).map_while(|_| go(&mut balancer, ms)).collect();
        let count = leases.iter().filter(|(_, name)| *name == "new").count();
        for (lease, _) in leases {
            balancer.end_attempt(lease, Outcome::Cancelled, at(ms));
        }
        count
    };
    assert_eq!([share(10_000), share(13_000)], [10, 55]);
}

#[test]
fn leases_of_one_that_fell_are_lost() {
    let mut balancer = with(&["a"], Config::DEFAULT);
    let (lease, _) = go(&mut balancer, 1).expect("healthy");
    for ms in [1000, 2000] {
        let (id, _) = balancer.next_check(at(ms)).expect("due");
        balancer.checked(id, Probe::Failed, at(ms));
    }
    assert!(balancer.is_lost(&lease));
    assert_eq!(balancer.backends()[0].stats().checks_failed, 2);
    balancer.remove("a").expect("there");
    assert!(!balancer.is_lost(&lease));
}

#[test]
fn a_new_one_is_checked_at_once_and_gets_requests_after_one_check() {
    let mut balancer = with(&[], Config::DEFAULT);
    balancer.add("a", "a", at(5000)).expect("there is room");
    assert_eq!(balancer.deadline(), Some(at(5000)));
    let (id, _) = balancer.next_check(at(5000)).expect("it is due");
    balancer.checked(id, Probe::Failed, at(5010));
    assert!(go(&mut balancer, 5010).is_none());
    assert_eq!(balancer.deadline(), Some(at(5110)));
    let (id, _) = balancer.next_check(at(5110)).expect("it is due");
    balancer.checked(id, Probe::Passed, at(5120));
    assert!(go(&mut balancer, 5120).is_some());
}

#[test]
fn the_only_one_rises_after_one_check_and_others_after_two() {
    let mut balancer = with(&["a", "b"], Config::DEFAULT);
    let mut check = |name: &str, probe, ms| {
        let id = balancer.find(name).expect("it is there").id();
        balancer.checked(id, probe, at(ms));
        balancer.find(name).expect("it is there").state()
    };
    for name in ["a", "b"] {
        check(name, Probe::Failed, 10);
        assert_eq!(check(name, Probe::Failed, 20), State::Unhealthy);
    }
    assert_eq!(check("a", Probe::Passed, 30), State::Healthy);
    assert_eq!(check("b", Probe::Passed, 30), State::Unhealthy);
    assert_eq!(check("b", Probe::Passed, 40), State::Healthy);
}
