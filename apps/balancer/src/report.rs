//! What the control interface tells, in JSON.

use alloc::string::String;
use core::fmt::{self, Write};
use core::net::SocketAddr;
use core::time::Duration;

use morgana_balance::{Backend, Histogram};
use morgana_hal::Instant;

use crate::{Network, Shared};

/// One back end. Names and addresses have no character that JSON would want to be escaped.
pub(crate) fn backend(
    out: &mut String,
    backend: &Backend<SocketAddr>,
    now: Instant,
) -> fmt::Result {
    let stats = backend.stats();
    write!(
        out,
        "{{\"name\":\"{}\",\"address\":\"{}\",\"state\":\"{}\",\"state_ms\":{},\"in_flight\":{},\"requests\":{},\"answered\":{},\
         \"server_errors\":{},\"connect_failures\":{},\"timeouts\":{},\"broken\":{},\"abandoned\":{},\"cancelled\":{},\"checks_failed\":{},\"ejections\":{},\"latency\":",
        backend.name(),
        backend.address(),
        backend.state().name(),
        now.since(backend.since()).as_millis(),
        backend.in_flight(),
        stats.requests,
        stats.latency.count(),
        stats.server_errors,
        stats.connect_failures,
        stats.timeouts,
        stats.broken,
        stats.abandoned,
        stats.cancelled,
        stats.checks_failed,
        stats.ejections,
    )?;
    latency(out, &stats.latency)?;
    out.write_char('}')
}

/// All back ends, as an array.
pub(crate) fn backends<N: Network>(out: &mut String, shared: &Shared<N>) -> fmt::Result {
    let now = shared.now();
    out.write_char('[')?;
    for (index, one) in shared.policy().backends().iter().enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        backend(out, one, now)?;
    }
    out.write_char(']')
}

/// Everything.
pub(crate) fn stats<N: Network>(out: &mut String, shared: &Shared<N>) -> fmt::Result {
    let now = shared.now();
    {
        let mut policy = shared.policy();
        let waiting = policy.waiting();
        let (recent, span) = policy.totals_mut().recent.read(now);
        let totals = policy.totals();
        write!(
            out,
            "{{\"uptime_ms\":{},\"requests\":{},\"in_flight\":{},\"waiting\":{waiting},\"answered\":{},\"server_errors\":{},\"bad_gateway\":{},\
             \"timeouts\":{},\"refused\":{},\"cancelled\":{},\"retries\":{},\"idle_connections\":{},\"latency\":",
            now.since(shared.started()).as_millis(),
            totals.requests,
            totals.in_flight,
            totals.answered,
            totals.server_errors,
            totals.bad_gateway,
            totals.timeouts,
            totals.refused,
            totals.cancelled,
            totals.retries,
            shared.pools().len(),
        )?;
        latency(out, &totals.latency)?;
        write!(
            out,
            ",\"recent\":{{\"span_ms\":{},\"answered\":{},\"latency\":",
            span.as_millis(),
            recent.count()
        )?;
        latency(out, &recent)?;
        out.write_str("},\"backends\":")?;
    }
    backends(out, shared)?;
    out.write_char('}')
}

fn latency(out: &mut String, histogram: &Histogram) -> fmt::Result {
    let us = |duration: Duration| duration.as_micros();
    write!(
        out,
        "{{\"p50_us\":{},\"p90_us\":{},\"p99_us\":{},\"max_us\":{}}}",
        us(histogram.per_mille(500)),
        us(histogram.per_mille(900)),
        us(histogram.per_mille(990)),
        us(histogram.max())
    )
}
