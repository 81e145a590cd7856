//! Figures in the text format that Prometheus scrapes, version 0.0.4.

use alloc::string::String;
use core::fmt::{self, Write};
use core::time::Duration;

use morgana_balance::State;

use crate::{Network, Shared};

/// The media type of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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
pub(crate) fn write<N: Network>(out: &mut String, shared: &Shared<N>) -> fmt::Result {
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
        family(out, name, help, "gauge")?;
        writeln!(out, "balancer_{name} {value}")?;
    }
    family(
        out,
        "requests_total",
        "Requests by how they ended.",
        "counter",
    )?;
    for (end, value) in [
        ("answered", totals.answered),
        ("bad_gateway", totals.bad_gateway),
        ("timeout", totals.timeouts),
        ("refused", totals.refused),
        ("cancelled", totals.cancelled),
    ] {
        writeln!(out, "balancer_requests_total{{end=\"{end}\"}} {value}")?;
    }
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
        family(out, name, help, "counter")?;
        writeln!(out, "balancer_{name} {value}")?;
    }
    family(
        out,
        "request_seconds",
        "How long answered requests took.",
        "histogram",
    )?;
    let latency = &totals.latency;
    for (us, bound) in BOUNDS {
        let within = latency.within(Duration::from_micros(us));
        writeln!(
            out,
            "balancer_request_seconds_bucket{{le=\"{bound}\"}} {within}"
        )?;
    }
    let (count, sum) = (latency.count(), latency.sum());
    writeln!(
        out,
        "balancer_request_seconds_bucket{{le=\"+Inf\"}} {count}"
    )?;
    writeln!(
        out,
        "balancer_request_seconds_sum {}.{:06}",
        sum.as_secs(),
        sum.subsec_micros()
    )?;
    writeln!(out, "balancer_request_seconds_count {count}")?;
    let backends = policy.backends();
    family(
        out,
        "backend_healthy",
        "Whether a back end gets requests.",
        "gauge",
    )?;
    for backend in backends {
        let healthy = u8::from(backend.state() == State::Healthy);
        writeln!(
            out,
            "balancer_backend_healthy{{backend=\"{}\"}} {healthy}",
            backend.name()
        )?;
    }
    family(
        out,
        "backend_in_flight",
        "Requests that a back end has.",
        "gauge",
    )?;
    for backend in backends {
        let (name, value) = (backend.name(), backend.in_flight());
        writeln!(
            out,
            "balancer_backend_in_flight{{backend=\"{name}\"}} {value}"
        )?;
    }
    family(
        out,
        "backend_requests_total",
        "Attempts at a back end.",
        "counter",
    )?;
    for backend in backends {
        let (name, value) = (backend.name(), backend.stats().requests);
        writeln!(
            out,
            "balancer_backend_requests_total{{backend=\"{name}\"}} {value}"
        )?;
    }
    family(
        out,
        "backend_failures_total",
        "Attempts without an answer.",
        "counter",
    )?;
    for backend in backends {
        let (name, value) = (backend.name(), backend.stats().failures());
        writeln!(
            out,
            "balancer_backend_failures_total{{backend=\"{name}\"}} {value}"
        )?;
    }
    Ok(())
}

fn family(out: &mut String, name: &str, help: &str, kind: &str) -> fmt::Result {
    write!(
        out,
        "# HELP balancer_{name} {help}\n# TYPE balancer_{name} {kind}\n"
    )
}
