//! The suite on the emulation, each domain a thread.

mod support;

use morgana_conformance::{Check, Role};
use morgana_emul::{Hypervisor, Outcome};
use morgana_hal::Exit;

use support::{Machine, play, serve};

fn run(checks: &'static [Check]) {
    let hypervisor = Hypervisor::new();
    let machine = Machine::new(&hypervisor);
    let serving = {
        let (hypervisor, rings) = (hypervisor.clone(), machine.rings);
        machine
            .domain_0
            .spawn(move |platform, tasks, _| serve(platform, tasks, hypervisor, rings))
            .unwrap()
    };
    let parts = [(machine.subject, Role::Subject), (machine.peer, Role::Peer)];
    let parts = parts.map(|(domain, role)| {
        domain
            .spawn(move |platform, tasks, _| play(platform, tasks, role, checks))
            .unwrap()
    });
    for part in parts {
        match part.join() {
            Outcome::Exited(Ok(())) => {}
            Outcome::Exited(Err(failure)) => panic!("{failure}"),
            Outcome::Killed => unreachable!("nobody kills here"),
        }
    }
    assert_eq!(serving.join(), Outcome::Exited(Exit::Poweroff));
    hypervisor.assert_clean();
}

fn one(check: Check) {
    let position = Check::ALL.iter().position(|&known| known == check);
    let position = position.unwrap();
    run(&Check::ALL[position..=position]);
}

morgana_conformance::conformance!(one);

#[test]
fn all_in_a_row() {
    run(Check::ALL);
}
