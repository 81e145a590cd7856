//! The tests that need no Xen: `cargo test` on the host.

use anyhow::Result;

use super::Tally;
use super::counted::cargo_test;
use crate::testbed::{
    capture_readers, dns_packages, nats_packages, tls_packages, xen_headers, xen_packages,
};
use crate::workspace::{Workspace, cargo};

/// Runs them; each counts.
pub(super) fn suite(workspace: &Workspace, tally: &mut Tally) {
    if let Err(error) = run(workspace, tally) {
        tally.test("unit", || Err(error));
    }
}

fn run(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .args(["test", "--workspace", "--no-fail-fast"]);
    if let Some(folder) = xen_headers()? {
        command.env("CPATH", folder);
    }
    // Xen's own xenstored daemons, with which ours is compared (tests/xenstore-peers).
    command.env("MORGANA_XEN_PACKAGES", xen_packages()?);
    // NSD and Knot, with which our name server is compared (tests/dns-peers).
    command.env("MORGANA_DNS_PACKAGES", dns_packages()?);
    // OpenSSL, curl, nginx and Python, which our TLS and HTTP speak with (tests/tls-peers).
    command.env("MORGANA_TLS_PACKAGES", tls_packages()?);
    // nats-server, on which a job queue of ours is (storage/queue-nats).
    command.env("MORGANA_NATS_PACKAGES", nats_packages()?);
    // What reads captures (apps/linux, apps/morgana).
    command.env("MORGANA_CAPTURE_READERS", capture_readers()?);
    cargo_test(&mut command, tally)
}
