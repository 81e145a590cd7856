//! Figures for whoever scrapes them.

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use morgana_balance::{Backend, State};
use morgana_web::{Exposition, Kind};

use crate::{Network, Shared};

/// Upper ends of the buckets that are shown, in microseconds and as they are written.
const BOUNDS: [(u64, &str); 12] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (5_000_000, "5"),
];

/// Writes all families.
pub(crate) fn write<N: Network>(text: &mut Exposition, shared: &Shared<N>) -> fmt::Result {
    let policy = shared.policy();
    let totals = policy.totals();
    let uptime = shared.now().since(shared.started()).as_secs();
    for (name, help, value) in [
        ("up_seconds", "Time since the start.", uptime),
        (
            "requests_in_flight",
            "Requests that have not ended.",
            totals.in_flight.into(),
        ),
        (
            "requests_waiting",
            "Requests that wait for a back end.",
            policy.waiting().into(),
        ),
        (
            "idle_connections",
            "Connections to back ends that wait for a request.",
            shared.pools().len() as u64,
        ),
    ] {
        text.gauge(name, help, value)?;
    }
    text.labelled(
        Kind::Counter,
        "requests_total",
        "Requests by how they ended.",
        "end",
        [
            ("answered", totals.answered),
            ("bad_gateway", totals.bad_gateway),
            ("timeout", totals.timeouts),
            ("refused", totals.refused),
            ("cancelled", totals.cancelled),
        ],
    )?;
    for (name, help, value) in [
        (
            "server_errors_total",
            "Answers of a status from 500 on.",
            totals.server_errors,
        ),
        (
            "retries_total",
            "Attempts beyond the first.",
            totals.retries,
        ),
    ] {
        text.counter(name, help, value)?;
    }
    let latency = &totals.latency;
    text.histogram(
        "request_seconds",
        "How long answered requests took.",
        BOUNDS.map(|(us, end)| (end, latency.within(Duration::from_micros(us)))),
        latency.count(),
        latency.sum(),
    )?;
    backends(text, policy.backends())
}

fn backends(text: &mut Exposition, backends: &[Backend<SocketAddr>]) -> fmt::Result {
    let mut each = |kind, name, help, value: &dyn Fn(&Backend<SocketAddr>) -> u64| {
        let values = backends
            .iter()
            .map(|backend| (backend.name(), value(backend)));
        text.labelled(kind, name, help, "backend", values)
    };
    each(
        Kind::Gauge,
        "backend_healthy",
        "Whether a back end gets requests.",
        &|backend| u64::from(backend.state() == State::Healthy),
    )?;
    each(
        Kind::Gauge,
        "backend_in_flight",
        "Requests that a back end has.",
        &|backend| backend.in_flight().into(),
    )?;
    each(
        Kind::Counter,
        "backend_requests_total",
        "Attempts at a back end.",
        &|backend| backend.stats().requests,
    )?;
    each(
        Kind::Counter,
        "backend_failures_total",
        "Attempts without an answer.",
        &|backend| backend.stats().failures(),
    )
}
