//! The tests on Xen under QEMU. A subject is a file here with a `TESTS` list, named in [`subjects`]; those of `xenstored` have a dom0 that
//! runs on our own xenstored, in dom0 or as a stub-domain.
//!
//! Each test gets a [`Lab`]: a testbed of its own, restored from the snapshot, with the tools to build, start and ask guests.

mod actors;
mod ahead;
mod apps;
mod archives;
mod autoscale;
mod block;
mod clients;
mod conformance;
mod crowd;
mod dns;
mod fileserver;
mod guests;
mod lab;
mod large;
mod libvirt;
mod linux;
mod logger;
mod net;
mod peers;
mod queue;
mod site;
mod streams;
mod testbed;
mod tls;
mod toolstack;
mod vchan;
mod xenconsoled;
mod xenstored;
mod xs;

use std::cell::Cell;
use std::thread;

use anyhow::Result;

use super::Tally;
use crate::build::{Make, Workshop};
use crate::cli::XenstoredChoice;
use crate::workspace::Workspace;

pub(crate) use lab::Lab;

/// One test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct XenTest {
    /// Its name: the subject and what is shown.
    pub(crate) name: &'static str,
    /// The test itself.
    pub(crate) run: fn(&Lab<'_>) -> Result<()>,
}

fn subjects() -> Vec<&'static [XenTest]> {
    vec![
        testbed::TESTS,
        guests::TESTS,
        apps::TESTS,
        conformance::TESTS,
        block::TESTS,
        dns::TESTS,
        tls::TESTS,
        site::TESTS,
        autoscale::TESTS,
        fileserver::TESTS,
        large::TESTS,
        linux::TESTS,
        logger::TESTS,
        queue::TESTS,
        actors::TESTS,
        net::TESTS,
        toolstack::TESTS,
        clients::TESTS,
        vchan::TESTS,
        xenconsoled::TESTS,
        xs::TESTS,
    ]
}

fn tests() -> impl Iterator<Item = (XenstoredChoice, &'static XenTest)> {
    let on_xens = subjects().into_iter().flatten();
    let from_c = xenstored::FROM_C_TESTS.iter().chain(peers::C_TESTS);
    let on_ocaml = xs::OCAML_TESTS.iter().chain(peers::OCAML_TESTS);
    let on_ours = [xenstored::TESTS, xs::OUR_TESTS, peers::OUR_TESTS];
    let on_ours = on_ours.into_iter().flatten();
    let on_stub_domain = [
        xenstored::STUB_DOMAIN_TESTS,
        xenconsoled::STUB_DOMAIN_TESTS,
        xs::STUB_DOMAIN_TESTS,
    ];
    let on_stub_domain = on_stub_domain.into_iter().flatten();
    on_xens
        .chain(from_c)
        .map(|test| (XenstoredChoice::C, test))
        .chain(on_ocaml.map(|test| (XenstoredChoice::Ocaml, test)))
        .chain(on_ours.map(|test| (XenstoredChoice::Ours, test)))
        .chain(on_stub_domain.map(|test| (XenstoredChoice::Stubdom, test)))
        .chain(by_name().map(|test| (XenstoredChoice::C, test)))
}

/// Those that run only if they are named.
fn by_name() -> impl Iterator<Item = &'static XenTest> {
    libvirt::TESTS.iter()
}

/// Whether there is a test of this name, or are tests whose names begin so.
pub(super) fn knows(name: &str) -> bool {
    tests().any(|(_, test)| test.name.starts_with(name))
}

/// The names, for a message.
pub(super) fn names() -> String {
    tests()
        .map(|(_, test)| test.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Runs the tests whose names begin with `chosen`.
pub(super) fn suite(workspace: &Workspace, chosen: Option<&str>, tally: &mut Tally) {
    let workshop = Workshop::new(workspace, Make::Trial);
    let wanted = chosen.unwrap_or_default();
    let tests: Vec<_> = tests()
        .filter(|(_, test)| test.name.starts_with(wanted))
        .filter(|(_, test)| chosen.is_some() || by_name().all(|other| other.name != test.name))
        .collect();
    thread::scope(|scope| {
        if chosen.is_none() {
            scope.spawn(|| ahead::images(&workshop));
            scope.spawn(|| ahead::programs(&workshop));
        }
        let labs = ahead::labs(scope, &workshop, tests.iter().map(|&(daemon, _)| daemon));
        for &(xenstored, test) in &tests {
            let ready = Cell::new(labs.next());
            tally.test_twice(&format!("xen/{}", test.name), || {
                let lab = match ready.take() {
                    Some(lab) => lab?,
                    None => Lab::new(&workshop, xenstored)?,
                };
                (test.run)(&lab).map_err(|error| lab.explain(error))
            });
        }
    });
}
