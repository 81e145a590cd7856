//! The suite on the emulation with the two domains in processes of their own. The hypervisor, and domain 0, are in this one.

mod support;

use std::env;
use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread;

use morgana_conformance::{Check, Role};
use morgana_emul::{Console, Domain, DomainThread, Hypervisor, Outcome, Served, ServedEnd};
use morgana_hal::{DomId, Exit};

use support::{Machine, play, serve};

/// Says which role a child process plays.
const ROLE: &str = "MORGANA_CONFORMANCE_ROLE";

/// The child's main function. Its standard input is the socket to the hypervisor. In the parent it does nothing.
#[test]
fn in_a_child_process() {
    let Ok(role) = env::var(ROLE) else { return };
    let role: Role = role.parse().unwrap();
    let socket = stdin().as_fd().try_clone_to_owned().unwrap();
    let domain = Domain::take_over(socket, Console::None).unwrap();
    let outcome = domain.run(move |platform, tasks, _| play(platform, tasks, role, Check::ALL));
    match outcome {
        Outcome::Exited(Ok(())) => {}
        Outcome::Exited(Err(failure)) => panic!("{failure}"),
        Outcome::Killed => panic!("the domain was killed"),
    }
}

/// Hands a domain over to a child process.
fn child(domain: Domain, role: Role) -> (Child, Served) {
    let (socket, served) = domain.hand_over().unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "in_a_child_process", "--nocapture"])
        .env(ROLE, role.name())
        .stdin(Stdio::from(socket))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    (child, served)
}

/// A part, wherever it is played.
enum Part {
    Process(Child, Served),
    Thread(DomainThread<morgana_conformance::Outcome>),
}

impl Part {
    fn finish(self, role: Role) {
        match self {
            Self::Process(child, served) => {
                let output = child.wait_with_output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{role}: {said}");
                assert_eq!(served.join(), ServedEnd::Left);
            }
            Self::Thread(thread) => match thread.join() {
                Outcome::Exited(Ok(())) => {}
                other => panic!("{role}: {other:?}"),
            },
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Process,
    Thread,
}

fn part(domain: Domain, role: Role, place: Place) -> Part {
    match place {
        Place::Process => {
            let (child, served) = child(domain, role);
            Part::Process(child, served)
        }
        Place::Thread => {
            let thread = domain
                .spawn(move |platform, tasks, _| play(platform, tasks, role, Check::ALL))
                .unwrap();
            Part::Thread(thread)
        }
    }
}

fn run(subject: Place, peer: Place) {
    let hypervisor = Hypervisor::new();
    let machine = Machine::new(&hypervisor);
    let serving = serving(machine.domain_0, &hypervisor, machine.rings);
    let subject = part(machine.subject, Role::Subject, subject);
    let peer = part(machine.peer, Role::Peer, peer);
    subject.finish(Role::Subject);
    peer.finish(Role::Peer);
    assert_eq!(serving.join(), Outcome::Exited(Exit::Poweroff));
    hypervisor.assert_clean();
}

fn serving(domain_0: Domain, hypervisor: &Hypervisor, rings: support::Rings) -> DomainThread {
    let hypervisor = hypervisor.clone();
    domain_0
        .spawn(move |platform, tasks, _| serve(platform, tasks, hypervisor, rings))
        .unwrap()
}

#[test]
fn all_between_two_processes() {
    run(Place::Process, Place::Process);
}

#[test]
fn all_between_a_process_and_a_thread() {
    run(Place::Process, Place::Thread);
    run(Place::Thread, Place::Process);
}

#[test]
fn a_process_that_is_killed_is_a_domain_that_has_died() {
    let hypervisor = Hypervisor::new();
    let machine = Machine::new(&hypervisor);
    let serving = serving(machine.domain_0, &hypervisor, machine.rings);
    // It waits for the other in vain, which is there but does nothing.
    let (mut child, served) = child(machine.subject, Role::Subject);
    while xenstore_mappings(&hypervisor) < 2 {
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(served.join(), ServedEnd::Left);
    drop(machine.peer);
    assert_eq!(serving.join(), Outcome::Exited(Exit::Poweroff));
    assert_eq!(hypervisor.domains(), [] as [DomId; 0]);
    hypervisor.assert_clean();
}

/// How many pages of guests domain 0 maps.
fn xenstore_mappings(hypervisor: &Hypervisor) -> usize {
    let left = hypervisor.leftovers();
    let mapped =
        |left: &&morgana_emul::Leftover| matches!(left, morgana_emul::Leftover::Mapping { .. });
    left.iter().filter(mapped).count()
}
