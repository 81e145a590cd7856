//! Event channels: who may connect, and what arrives.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use morgana_hal::{Channel, DomId, EventError, Events, Idle, Platform, Port, Virq};

use super::{Pair, domain, pair};
use crate::{DomainConfig, Hypervisor, Leftover};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);

#[test]
fn notifications_are_counted_where_they_arrive() {
    let Pair {
        hypervisor,
        mut first,
        mut second,
    } = pair();
    let listening = first.0.events().listen(D1).unwrap();
    let connected = second.0.events().connect(D0, listening.port()).unwrap();
    // Xen marks the connecting end, since the other may have notified before.
    assert_eq!(second.1.dispatch(), 1);
    assert_eq!((connected.count(), listening.count()), (1, 0));

    connected.notify();
    assert_eq!(listening.count(), 0, "counted before the domain looked");
    assert_eq!(first.1.dispatch(), 1);
    assert_eq!(first.1.dispatch(), 0);
    assert_eq!(listening.count(), 1);
    connected.notify();
    connected.notify();
    assert_eq!(first.1.dispatch(), 1, "two that come together are one");
    listening.notify();
    assert_eq!(second.1.dispatch(), 1);
    assert_eq!((connected.count(), listening.count()), (2, 2));

    drop((listening, connected));
    hypervisor.assert_clean();
}

#[test]
fn a_wait_ends_with_the_next_arrival_and_not_before() {
    let mut pair = pair();
    let listening = pair.first.0.events().listen(D1).unwrap();
    let remote = listening.port();
    let connected = pair.second.0.events().connect(D0, remote).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut wait = pin!(listening.after(0));
    assert_eq!(wait.as_mut().poll(&mut cx), Poll::Pending);
    connected.notify();
    assert_eq!(wait.as_mut().poll(&mut cx), Poll::Pending);
    pair.first.1.dispatch();
    assert_eq!(wait.as_mut().poll(&mut cx), Poll::Ready(1));
    assert_eq!(pin!(listening.after(0)).poll(&mut cx), Poll::Ready(1));
    assert_eq!(pin!(listening.after(1)).poll(&mut cx), Poll::Pending);
}

#[test]
fn only_the_named_domain_may_connect_and_only_once() {
    let pair = pair();
    let third = domain(&pair.hypervisor).enter();
    let listening = pair.first.0.events().listen(D1).unwrap();
    let port = listening.port();
    let refused = third.0.events().connect(D0, port);
    assert_eq!(refused.err(), Some(EventError::Refused));
    for wrong in [0, port.number() + 1, u32::MAX] {
        let refused = pair.second.0.events().connect(D0, Port::new(wrong));
        assert_eq!(refused.err(), Some(EventError::Refused), "port {wrong}");
    }
    let connected = pair.second.0.events().connect(D0, port).unwrap();
    let again = pair.second.0.events().connect(D0, port);
    assert_eq!(again.err(), Some(EventError::Refused));
    let nobody = pair.second.0.events().connect(DomId::new(7), port);
    assert_eq!(nobody.err(), Some(EventError::NoSuchDomain));
    let nobody = pair.first.0.events().listen(DomId::new(7));
    assert_eq!(nobody.err(), Some(EventError::NoSuchDomain));
    drop(connected);
}

#[test]
fn a_closed_end_leaves_the_other_unbound_for_the_same_domain() {
    let mut pair = pair();
    let listening = pair.first.0.events().listen(D1).unwrap();
    let port = listening.port();
    let connected = pair.second.0.events().connect(D0, port).unwrap();
    drop(connected);
    assert_eq!(pair.first.1.dispatch(), 0, "a close makes no sound");
    listening.notify();
    let connected = pair.second.0.events().connect(D0, port).unwrap();
    pair.second.1.dispatch();
    assert_eq!(connected.count(), 1);
    connected.notify();
    assert_eq!(pair.first.1.dispatch(), 1);
    // The same when a domain is killed: its peer may wait for a successor in vain.
    pair.hypervisor.kill(D1);
    listening.notify();
    assert_eq!(pair.first.1.dispatch(), 0);
    drop(connected);
    drop(pair.second);
    drop(listening);
    pair.hypervisor.assert_clean();
}

#[test]
fn an_event_for_a_closed_port_does_not_reach_its_successor() {
    let mut pair = pair();
    let first = pair.first.0.events().listen(D1).unwrap();
    let port = first.port();
    let connected = pair.second.0.events().connect(D0, port).unwrap();
    connected.notify();
    drop(first);
    let second = pair.first.0.events().listen(D1).unwrap();
    assert_eq!(second.port(), port);
    assert_eq!(pair.first.1.dispatch(), 0);
    assert_eq!(second.count(), 0);
    drop(connected);
}

#[test]
fn a_domain_may_connect_to_itself() {
    let mut pair = pair();
    let one = pair.first.0.events().listen(D0).unwrap();
    let other = pair.first.0.events().connect(D0, one.port()).unwrap();
    one.notify();
    other.notify();
    assert_eq!(pair.first.1.dispatch(), 2);
    assert_eq!((one.count(), other.count()), (1, 1));
}

#[test]
fn ports_have_an_end_and_come_back() {
    let hypervisor = Hypervisor::new();
    let config = DomainConfig {
        ports: 4,
        ..DomainConfig::default()
    };
    let (platform, _idle) = hypervisor.create(config).unwrap().enter();
    let events = platform.events();
    let mut open: Vec<_> = (0..3).map(|_| events.listen(D0).unwrap()).collect();
    assert_eq!(events.listen(D0).err(), Some(EventError::NoFreePort));
    assert_eq!(platform.usage().ports_used, 3);
    assert_eq!(platform.usage().ports_total, 4);
    let freed = open.remove(1).port();
    assert_eq!(events.listen(D0).unwrap().port(), freed);
    core::mem::forget(open.remove(0));
    drop(open);
    let left: Vec<Leftover> = hypervisor.leftovers().iter().copied().collect();
    let port = Port::new(1);
    assert_eq!(left, [Leftover::Port { domain: D0, port }]);
}

#[test]
fn virtual_interrupts_go_to_who_may_have_them() {
    let mut pair = pair();
    let death = pair.first.0.events().virq(Virq::DomainException).unwrap();
    let twice = pair.first.0.events().virq(Virq::DomainException);
    assert_eq!(twice.err(), Some(EventError::Denied));
    let other = pair.second.0.events().virq(Virq::DomainException);
    assert_eq!(other.err(), Some(EventError::Denied));
    let timer = pair.second.0.events().virq(Virq::Timer);
    assert_eq!(timer.err(), Some(EventError::Denied));
    let debug = pair.second.0.events().virq(Virq::Debug).unwrap();
    pair.hypervisor.raise(D1, Virq::Debug);
    assert_eq!(pair.second.1.dispatch(), 1);
    assert_eq!(debug.count(), 1);
    drop((debug, pair.second));
    assert_eq!(pair.first.1.dispatch(), 1);
    assert_eq!(death.count(), 1, "the second domain has ended");
    assert_eq!(pair.hypervisor.domains(), [D0]);
}
