//! Domains as threads: nothing is lost between them.

use morgana_hal::{Channel, DomId, Events, Exit, Memory, Pages, Platform, Port, SharedPages};

use super::domain;
use crate::{CapturedConsole, Console, DomainConfig, Hypervisor, Outcome};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);

/// Two threads throw a ball: each round is an event there and one back, and either thread sleeps in between whenever it gets to it.
/// A single lost wake-up and the test hangs.
#[test]
fn no_wake_is_lost_between_two_threads() {
    const ROUNDS: u32 = 20_000;
    let hypervisor = Hypervisor::new();
    let (first, second) = (domain(&hypervisor), domain(&hypervisor));
    let (tell, told) = std::sync::mpsc::channel();
    let server = first
        .spawn(move |platform, _, _| async move {
            let shared = platform.memory().share(D1, 1).unwrap();
            let channel = platform.events().listen(D1).unwrap();
            tell.send((channel.port(), shared.grants()[0])).unwrap();
            let mut seen = 0;
            for round in 1..=ROUNDS {
                while shared.region().load_u32(0) < round {
                    seen = channel.after(seen).await;
                }
                shared.region().store_u32(4, round);
                channel.notify();
            }
            Exit::Poweroff
        })
        .unwrap();
    let (port, grant) = told.recv().unwrap();
    let client = second
        .spawn(move |platform, _, _| async move {
            let pages = platform.memory().import(D0, &[grant]).unwrap();
            let channel = platform.events().connect(D0, port).unwrap();
            let mut seen = 0;
            for round in 1..=ROUNDS {
                pages.region().store_u32(0, round);
                channel.notify();
                while pages.region().load_u32(4) < round {
                    seen = channel.after(seen).await;
                }
            }
            Exit::Poweroff
        })
        .unwrap();
    assert_eq!(client.join(), Outcome::Exited(Exit::Poweroff));
    assert_eq!(server.join(), Outcome::Exited(Exit::Poweroff));
    hypervisor.assert_clean();
}

/// Many senders, one receiver: each raises its own number before it notifies, and the receiver must see all final numbers.
#[test]
fn events_from_many_threads_are_all_seen() {
    const SENDERS: u16 = 6;
    const STEPS: u32 = 5_000;
    let hypervisor = Hypervisor::new();
    let receiver = domain(&hypervisor);
    let senders: Vec<_> = (0..SENDERS).map(|_| domain(&hypervisor)).collect();
    let (tell, told) = std::sync::mpsc::channel::<Vec<(Port, _)>>();
    let receiver = receiver
        .spawn(move |platform, handle, _| async move {
            let mut open = Vec::new();
            let mut tasks = Vec::new();
            for number in 1..=SENDERS {
                let peer = DomId::new(number);
                let shared = platform.memory().share(peer, 1).unwrap();
                let channel = platform.events().listen(peer).unwrap();
                open.push((channel.port(), shared.grants()[0]));
                let task = async move {
                    let mut seen = channel.count();
                    while shared.region().load_u32(0) < STEPS {
                        seen = channel.after(seen).await;
                    }
                };
                tasks.push(handle.spawn(task).unwrap());
            }
            tell.send(open).unwrap();
            for task in tasks {
                task.await;
            }
            Exit::Poweroff
        })
        .unwrap();
    let open = told.recv().unwrap();
    let senders: Vec<_> = senders
        .into_iter()
        .zip(open)
        .map(|(sender, (port, grant))| {
            sender
                .spawn(move |platform, _, _| async move {
                    let pages = platform.memory().import(D0, &[grant]).unwrap();
                    let channel = platform.events().connect(D0, port).unwrap();
                    for step in 1..=STEPS {
                        pages.region().store_u32(0, step);
                        channel.notify();
                    }
                    Exit::Poweroff
                })
                .unwrap()
        })
        .collect();
    for sender in senders {
        assert_eq!(sender.join(), Outcome::Exited(Exit::Poweroff));
    }
    assert_eq!(receiver.join(), Outcome::Exited(Exit::Poweroff));
    hypervisor.assert_clean();
}

#[test]
fn a_killed_thread_unwinds_and_leaves_nothing() {
    let hypervisor = Hypervisor::new();
    let (first, second) = (domain(&hypervisor), domain(&hypervisor));
    let (tell, told) = std::sync::mpsc::channel();
    let asleep = first
        .spawn(move |platform, _, _| async move {
            let shared = platform.memory().share(D1, 4).unwrap();
            let channel = platform.events().listen(D1).unwrap();
            tell.send(()).unwrap();
            let mut seen = channel.count();
            loop {
                seen = channel.after(seen).await;
                shared.region().clear();
            }
        })
        .unwrap();
    told.recv().unwrap();
    assert!(hypervisor.kill(asleep.id()));
    assert_eq!(asleep.join(), Outcome::Killed);
    drop(second);
    assert_eq!(hypervisor.domains(), []);
    hypervisor.assert_clean();
}

#[test]
fn a_panic_in_a_domain_reaches_who_joins_it() {
    let hypervisor = Hypervisor::new();
    let domain = domain(&hypervisor)
        .spawn(|_, _, _| async { std::panic::resume_unwind(Box::new("the domain's own")) });
    let domain = domain.unwrap();
    let joined = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| domain.join()));
    assert!(joined.unwrap_err().is::<&str>());
    hypervisor.assert_clean();
}

#[test]
fn a_console_carries_bytes_both_ways() {
    use morgana_hal::ByteStream;
    let hypervisor = Hypervisor::new();
    let console = CapturedConsole::default();
    let config = DomainConfig {
        console: Console::Captured(console.clone()),
        ..DomainConfig::default()
    };
    let echo = hypervisor.create(config).unwrap().spawn(|platform, _, _| {
        let stream = platform.console().unwrap();
        assert!(platform.console().is_none());
        async move {
            let mut buffer = [0; 8];
            loop {
                let read = core::future::poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await;
                let text = buffer[..read.unwrap()].to_ascii_uppercase();
                core::future::poll_fn(|cx| stream.poll_write(cx, &text))
                    .await
                    .unwrap();
                if text.ends_with(b"\n") {
                    return Exit::Reboot;
                }
            }
        }
    });
    console.input(b"longer than eight");
    console.input(b" bytes\n");
    assert_eq!(echo.unwrap().join(), Outcome::Exited(Exit::Reboot));
    assert_eq!(console.output(), "LONGER THAN EIGHT BYTES\n");
}
