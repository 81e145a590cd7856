//! A domain at the other end of a socket. Both ends are in this process here; tests/conformance has real ones.

use std::os::fd::OwnedFd;

use morgana_hal::{
    Channel, DomId, EventError, Events, Exit, Idle, Memory, MemoryError, Pages, Platform,
    SharedPages,
};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair,
};

use super::domain;
use crate::random::SplitMix64;
use crate::{
    Breach, Console, Domain, DomainConfig, Fault, FaultPlan, Hypervisor, Lockstep, Outcome, Served,
    ServedEnd, Trouble,
};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);

fn handed_over(hypervisor: &Hypervisor) -> (Domain, Served) {
    let (socket, served) = domain(hypervisor).hand_over().unwrap();
    let taken = Domain::take_over(socket, Console::None).unwrap();
    assert_eq!(taken.id(), served.id());
    (taken, served)
}

/// Takes a domain's place with raw messages.
fn raw(hypervisor: &Hypervisor) -> (OwnedFd, Served) {
    let kind = SocketType::SEQPACKET;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap();
    let served = domain(hypervisor).serve(theirs).unwrap();
    let mut welcome = [0; 100];
    recv(&ours, &mut welcome[..], RecvFlags::empty()).unwrap();
    (ours, served)
}

#[test]
fn pages_and_events_go_both_ways() {
    let hypervisor = Hypervisor::new();
    let (near, mut near_idle) = domain(&hypervisor).enter();
    let (far, served) = handed_over(&hypervisor);
    let (far, mut far_idle) = far.enter();
    assert!(far.hypervisor().is_none() && near.hypervisor().is_some());

    let shared = far.memory().share(D0, 2).unwrap();
    let imported = near.memory().import(D1, shared.grants()).unwrap();
    shared.region().write(5_000, b"from afar");
    let mut bytes = [0; 9];
    imported.region().read(5_000, &mut bytes);
    assert_eq!(&bytes, b"from afar");
    let back = near.memory().share(D1, 1).unwrap();
    let there = far.memory().import(D0, back.grants()).unwrap();
    there.region().write(0, b"and back");
    back.region().read(0, &mut bytes[..8]);
    assert_eq!(&bytes[..8], b"and back");

    let listener = far.events().listen(D0).unwrap();
    let caller = near.events().connect(D1, listener.port()).unwrap();
    near_idle.dispatch();
    let seen = caller.count();
    caller.notify();
    far_idle.wait(None);
    assert_eq!((far_idle.dispatch(), listener.count()), (1, 1));
    listener.notify();
    near_idle.wait(None);
    near_idle.dispatch();
    assert_eq!(caller.count(), seen + 1);
    assert_eq!(
        far.events().listen(DomId::new(9)).err(),
        Some(EventError::NoSuchDomain)
    );

    // It is set aside here as it is there.
    drop(shared);
    assert_eq!(far.usage().quarantined_pages, 2);
    drop(imported);
    assert_eq!(
        (far.usage().quarantined_pages, far.usage().grants_used),
        (0, 0)
    );
    drop((there, back, listener, caller));
    hypervisor.assert_clean();
    drop((far, far_idle));
    assert_eq!(served.join(), ServedEnd::Left);
    assert_eq!(hypervisor.domains(), [D0]);
}

#[test]
fn who_leaves_without_a_word_is_dead() {
    let hypervisor = Hypervisor::new();
    let (near, _idle) = domain(&hypervisor).enter();
    let (socket, served) = raw(&hypervisor);
    // Request 1: share one page with domain 0, read-write.
    send(&socket, &[1, 0, 0, 1, 0, 0, 0, 1], SendFlags::empty()).unwrap();
    let mut reply = [0; 100];
    let (_, len) = recv(&socket, &mut reply[..], RecvFlags::empty()).unwrap();
    assert_eq!((len, reply[0]), (9, 4));
    let grant = morgana_hal::GrantRef::new(u32::from(reply[5]));
    let imported = near.memory().import(D1, &[grant]).unwrap();
    drop(socket);
    assert_eq!(served.join(), ServedEnd::Left);
    assert_eq!(hypervisor.domains(), [D0]);
    let gone = near.memory().import(D1, &[grant]);
    assert_eq!(gone.err(), Some(MemoryError::NoSuchDomain));
    imported.region().write(0, b"still there");
    drop(imported);
    hypervisor.assert_clean();
}

#[test]
fn a_killed_domain_ends_elsewhere_too() {
    let hypervisor = Hypervisor::new();
    let _near = domain(&hypervisor).enter();
    let (far, served) = handed_over(&hypervisor);
    let (tell, told) = std::sync::mpsc::channel();
    let far = far.spawn(move |platform, _, _| async move {
        let channel = platform.events().listen(D0).unwrap();
        tell.send(()).unwrap();
        loop {
            channel.after(channel.count()).await;
        }
        #[expect(unreachable_code, reason = "gives the function its type")]
        Exit::Crash
    });
    told.recv().unwrap();
    assert!(hypervisor.kill(D1));
    assert_eq!(far.unwrap().join(), Outcome::Killed);
    assert_eq!(served.join(), ServedEnd::Left);
    hypervisor.assert_clean();
}

#[test]
fn without_its_hypervisor_a_domain_is_dead() {
    let hypervisor = Hypervisor::new();
    let _near = domain(&hypervisor).enter();
    let (far, served) = handed_over(&hypervisor);
    let (running, runs) = std::sync::mpsc::channel();
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let far = far.spawn(move |platform, tasks, _| async move {
        running.send(()).unwrap();
        told.recv().unwrap();
        let refused = platform.memory().share(D0, 1);
        assert_eq!(refused.err(), Some(MemoryError::NoSuchDomain));
        tasks.timers().sleep(core::time::Duration::MAX).await;
    });
    // A domain that dies before its thread has come to run never polls its main task.
    runs.recv().unwrap();
    drop(served);
    tell.send(()).unwrap();
    assert_eq!(far.unwrap().join(), Outcome::Killed);
    hypervisor.assert_clean();
}

#[test]
fn whoever_breaks_the_rules_loses_the_domain_and_nobody_else_does() {
    let hypervisor = Hypervisor::new();
    let (near, _idle) = domain(&hypervisor).enter();
    let long = vec![6; 64 * 1024 + 1];
    let many = vec![2; 1 + 4 * 4097];
    for (message, breach) in [
        (&long[..], Breach::TooLong),
        (&many, Breach::TooMany),
        (&[99, 1, 2], Breach::UnknownRequest),
        (&[7, 1], Breach::Malformed),
        (&[9, 77, 0, 0, 0], Breach::Malformed),
    ] {
        let (socket, served) = raw(&hypervisor);
        send(&socket, message, SendFlags::empty()).unwrap();
        assert_eq!(served.join(), ServedEnd::Breach(breach));
        assert_eq!(hypervisor.domains(), [D0]);
    }
    assert!(near.memory().share(D0, 1).is_ok());
    hypervisor.assert_clean();
}

/// Well-formed requests about what is not there, or is somebody else's.
#[test]
fn requests_at_random_harm_nobody() {
    let hypervisor = Hypervisor::new();
    let (near, mut idle) = domain(&hypervisor).enter();
    for seed in 0..20 {
        let (socket, served) = raw(&hypervisor);
        let kept = near.memory().share(served.id(), 1).unwrap();
        let secret = near.memory().share(D0, 1).unwrap();
        secret.region().write(0, b"secret");
        let mut random = SplitMix64::new(seed);
        for _ in 0..300 {
            // Small numbers, so that they hit now and then. The lengths are those of requests 1 to 13.
            let kind = 1 + random.below(13);
            let len = [7, 8, 10, 16, 10, 12, 2, 6, 4, 4, 4, 0, 0][kind - 1];
            let mut message = vec![kind as u8];
            message.extend((0..len).map(|at| match at % 4 {
                0 => random.below(16) as u8,
                _ => u8::from(random.below(20) == 0),
            }));
            if send(&socket, &message, SendFlags::empty()).is_err() {
                break;
            }
            let mut reply = vec![0; 64 * 1024];
            if kind != 10 && recv(&socket, &mut reply[..], RecvFlags::empty()) == Ok((0, 0)) {
                break;
            }
        }
        idle.dispatch();
        let mut bytes = [0; 6];
        secret.region().read(0, &mut bytes);
        assert_eq!(&bytes, b"secret");
        drop((socket, kept, secret));
        served.join();
        assert_eq!(hypervisor.domains(), [D0]);
        hypervisor.assert_clean();
    }
}

#[test]
fn faults_strike_elsewhere_too() {
    let hypervisor = Hypervisor::new();
    let (near, _idle) = domain(&hypervisor).enter();
    let (far, served) = handed_over(&hypervisor);
    let late = Trouble::LateEvent(core::time::Duration::from_millis(2));
    let plan = FaultPlan::new()
        .with(Fault::new(D1, late, 1))
        .with(Fault::new(D1, Trouble::FullGrants, 1))
        .with(Fault::new(D1, Trouble::Death, 6));
    hypervisor.inject(plan);
    let (tell, told) = std::sync::mpsc::channel();
    let far = far.spawn(move |platform, _, _| async move {
        let full = platform.memory().share(D0, 1);
        assert_eq!(full.err(), Some(MemoryError::NoFreeGrant));
        let channel = platform.events().listen(D0).unwrap();
        tell.send(channel.port()).unwrap();
        channel.after(0).await;
        for _ in 0..4 {
            channel.notify();
        }
        core::future::pending::<()>().await;
    });
    let port = told.recv().unwrap();
    near.events().connect(D1, port).unwrap().notify();
    assert_eq!(far.unwrap().join(), Outcome::Killed);
    assert_eq!(served.join(), ServedEnd::Left);
    assert_eq!(hypervisor.struck().len(), 3);
    hypervisor.assert_clean();
}

#[test]
fn what_cannot_be_served_is_said() {
    let world = Lockstep::new(1);
    let domain = world.hypervisor().create(DomainConfig::default()).unwrap();
    let refused = domain.hand_over().err().map(|error| error.kind());
    assert_eq!(refused, Some(std::io::ErrorKind::Unsupported));
    let kind = SocketType::SEQPACKET;
    let pair = || socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap();
    let (ours, theirs) = pair();
    drop(theirs);
    let refused = Domain::take_over(ours, Console::None);
    let refused = refused.err().map(|error| error.kind());
    assert_eq!(refused, Some(std::io::ErrorKind::UnexpectedEof));
    let (ours, theirs) = pair();
    send(&theirs, b"hello", SendFlags::empty()).unwrap();
    let refused = Domain::take_over(ours, Console::None);
    let refused = refused.err().map(|error| error.kind());
    assert_eq!(refused, Some(std::io::ErrorKind::InvalidData));
}
