//! Makes ready what the tests will want while others run: a machine under emulation leaves a part of the processors idle.
//!
//! What is not named here is built when a test wants it.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::Scope;

use anyhow::Result;

use super::Lab;
use crate::build::Workshop;
use crate::cli::XenstoredChoice;
use crate::test::priority::{Priority, run_at};

/// The images, in the order in which they are wanted.
const IMAGES: [&str; 21] = [
    "guest-selftest",
    "guest-faults",
    "hello",
    "website",
    "guest-conformance",
    "guest-disk",
    "blkback",
    "dns",
    "website-tls",
    "guest-iperf",
    "logger",
    "guest-logs",
    "queue",
    "counter",
    "netback",
    "guest-echo",
    "guest-vchan",
    "guest-console",
    "xenconsoled",
    "xenstored",
    "guest-nodes",
];

/// The packages that have programs for Linux, and the programs, in the order in which they are wanted.
const PROGRAMS: [(&str, &str); 15] = [
    ("guest-disk", "guest-disk"),
    ("blkback", "blkback"),
    ("hello", "hello"),
    ("guest-conformance", "guest-conformance"),
    ("morgana-cli", "morgana"),
    ("counter", "counter"),
    ("logger", "logger"),
    ("netback", "netback"),
    ("guest-echo", "guest-echo"),
    ("guest-vchan", "guest-vchan"),
    ("xenconsoled", "xenconsoled"),
    ("perf-console", "perf-console"),
    ("xenstore-peers", "xenstore-peers"),
    ("xs", "xs"),
    ("xenstored", "xenstored"),
];

/// Builds the images. What does not build is built again, and its errors are told, when a test wants it.
pub(super) fn images(workshop: &Workshop<'_>) {
    run_at(Priority::WantedSoon);
    for app in IMAGES {
        let _ = workshop.image(app);
    }
}

/// Builds the programs.
pub(super) fn programs(workshop: &Workshop<'_>) {
    run_at(Priority::WantedSoon);
    for (package, program) in PROGRAMS {
        let _ = workshop.program_of(package, program);
    }
}

/// Labs, of which the next one is started while the one before it is in use.
#[derive(Debug)]
pub(super) struct Labs<'a> {
    ready: Receiver<Result<Lab<'a>>>,
    /// A machine lives no longer than the thread that has started it; that waits for this to be dropped.
    _in_use: Sender<()>,
}

impl<'a> Labs<'a> {
    /// The next one, when it is ready; none if there was an end to them.
    pub(super) fn next(&self) -> Option<Result<Lab<'a>>> {
        self.ready.recv().ok()
    }
}

/// Starts a lab for each of these daemons, in this order.
pub(super) fn labs<'scope, 'a: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    workshop: &'a Workshop<'a>,
    daemons: impl Iterator<Item = XenstoredChoice> + Send + 'scope,
) -> Labs<'a> {
    let (give, ready) = sync_channel(0);
    let (in_use, over) = channel();
    scope.spawn(move || {
        for daemon in daemons {
            if give.send(Lab::new(workshop, daemon)).is_err() {
                return;
            }
        }
        let _ = over.recv();
    });
    Labs {
        ready,
        _in_use: in_use,
    }
}
