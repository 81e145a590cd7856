//! The tests on Xen under QEMU. A subject is a file here with a `TESTS` list, named in [`subjects`].
//!
//! Each test gets a [`Lab`]: a testbed of its own, restored from the snapshot, with the tools to build, start and ask guests.

mod apps;
mod block;
mod clients;
mod conformance;
mod guests;
mod lab;
mod large;
mod linux;
mod net;
mod testbed;

use anyhow::Result;

use super::Tally;
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
        large::TESTS,
        linux::TESTS,
        net::TESTS,
        clients::TESTS,
    ]
}

fn tests() -> impl Iterator<Item = &'static XenTest> {
    subjects().into_iter().flatten()
}

/// Whether there is a test of this name, or are tests whose names begin so.
pub(super) fn knows(name: &str) -> bool {
    tests().any(|test| test.name.starts_with(name))
}

/// The names, for a message.
pub(super) fn names() -> String {
    tests().map(|test| test.name).collect::<Vec<_>>().join(", ")
}

/// Runs the tests whose names begin with `chosen`.
pub(super) fn suite(workspace: &Workspace, chosen: Option<&str>, tally: &mut Tally) {
    let wanted = chosen.unwrap_or_default();
    for test in tests().filter(|test| test.name.starts_with(wanted)) {
        tally.test_twice(&format!("xen/{}", test.name), || {
            let lab = Lab::new(workspace)?;
            (test.run)(&lab).map_err(|error| lab.explain(error))
        });
    }
}
