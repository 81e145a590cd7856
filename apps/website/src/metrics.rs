//! What `/metrics` shows.

use core::fmt;
use core::time::Duration;

use morgana::netfront;
use morgana_hal::Usage;
use morgana_http::server::Snapshot;
use morgana_net_stack::Stats;
use morgana_web::{Exposition, Kind, Seconds};

/// All figures at one moment.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Readings {
    /// Since the program began.
    pub(crate) uptime: Duration,
    /// The domain's resources.
    pub(crate) usage: Usage,
    /// The HTTP server's counters.
    pub(crate) http: Snapshot,
    /// The network stack's counters.
    pub(crate) stack: Stats,
    /// The network interface's counters, if it is one of Xen's.
    pub(crate) device: Option<netfront::Stats>,
}

/// Writes `readings`.
pub(crate) fn write(text: &mut Exposition, readings: &Readings) -> fmt::Result {
    text.gauge(
        "uptime_seconds",
        "Time since the program began.",
        Seconds(readings.uptime),
    )?;
    domain(text, &readings.usage)?;
    http(text, &readings.http)?;
    stack(text, &readings.stack)?;
    match &readings.device {
        Some(stats) => device(text, stats),
        None => Ok(()),
    }
}

fn domain(text: &mut Exposition, usage: &Usage) -> fmt::Result {
    for (name, help, value) in [
        ("heap_used_bytes", "Heap in use.", usage.heap_used_bytes),
        (
            "heap_size_bytes",
            "The heap's size.",
            usage.heap_total_bytes,
        ),
        ("grants_used", "Grant references in use.", usage.grants_used),
        (
            "grants_limit",
            "Grant references that there can be.",
            usage.grants_total,
        ),
        (
            "event_ports_used",
            "Event channel ports in use.",
            usage.ports_used,
        ),
        (
            "event_ports_limit",
            "Event channel ports that there can be.",
            usage.ports_total,
        ),
        (
            "quarantined_pages",
            "Pages given back while a peer still mapped them, and not used again.",
            usage.quarantined_pages,
        ),
    ] {
        text.gauge(name, help, value)?;
    }
    Ok(())
}

fn http(text: &mut Exposition, http: &Snapshot) -> fmt::Result {
    text.gauge(
        "http_connections_open",
        "Connections open now.",
        http.connections_open,
    )?;
    text.gauge(
        "http_refusals_open",
        "Connections being refused now.",
        http.refusals_open,
    )?;
    for (name, help, value) in [
        (
            "http_connections_total",
            "Connections accepted.",
            http.connections_total,
        ),
        (
            "http_connections_refused_total",
            "Connections over the limit.",
            http.connections_refused,
        ),
        (
            "http_requests_total",
            "Requests answered.",
            http.answers_2xx + http.answers_3xx + http.answers_4xx + http.answers_5xx,
        ),
        (
            "http_received_bytes_total",
            "Bytes read from clients.",
            http.bytes_in,
        ),
        (
            "http_sent_bytes_total",
            "Bytes written to clients.",
            http.bytes_out,
        ),
        (
            "http_timeouts_total",
            "Heads, bodies and answers that took too long.",
            http.timeouts,
        ),
        (
            "http_bad_requests_total",
            "Malformed requests, and those over a limit.",
            http.bad_requests,
        ),
        (
            "http_exhausted_total",
            "Times that memory for requests ran out.",
            http.exhausted,
        ),
    ] {
        text.counter(name, help, value)?;
    }
    text.labelled(
        Kind::Counter,
        "http_responses_total",
        "Answers by class of status.",
        "class",
        [
            ("2xx", http.answers_2xx),
            ("3xx", http.answers_3xx),
            ("4xx", http.answers_4xx),
            ("5xx", http.answers_5xx),
        ],
    )
}

fn stack(text: &mut Exposition, stack: &Stats) -> fmt::Result {
    for (name, help, value) in [
        (
            "net_received_frames_total",
            "Frames received.",
            stack.frames_received,
        ),
        (
            "net_received_bytes_total",
            "Bytes in frames received.",
            stack.bytes_received,
        ),
        ("net_sent_frames_total", "Frames sent.", stack.frames_sent),
        (
            "net_sent_bytes_total",
            "Bytes in frames sent.",
            stack.bytes_sent,
        ),
        (
            "net_replies_without_room_total",
            "Answers given up because the device had no room.",
            stack.replies_without_room,
        ),
    ] {
        text.counter(name, help, value)?;
    }
    text.labelled(
        Kind::Counter,
        "net_dropped_frames_total",
        "Frames dropped before they reached a protocol, by reason.",
        "reason",
        [
            ("malformed", stack.malformed),
            ("checksum", stack.bad_checksums),
            ("fragment", stack.fragments),
            ("other_station", stack.other_stations),
            ("other_address", stack.other_addresses),
            ("bad_source", stack.bad_sources),
            ("unknown_protocol", stack.unknown_protocols),
        ],
    )?;
    text.labelled(
        Kind::Counter,
        "tcp_connections_total",
        "Connections opened, by side.",
        "opened_by",
        [("peer", stack.tcp_accepted), ("self", stack.tcp_connected)],
    )?;
    text.labelled(
        Kind::Counter,
        "tcp_events_total",
        "What happened to connections.",
        "event",
        [
            ("backlog_full", stack.tcp_backlog_full),
            ("connections_full", stack.tcp_connections_full),
            ("memory_full", stack.tcp_memory_full),
            ("stray_segment", stack.tcp_strays),
            ("reset", stack.tcp_resets),
            ("timeout", stack.tcp_timeouts),
            ("parked", stack.tcp_parked),
            ("revived", stack.tcp_revived),
        ],
    )?;
    text.labelled(
        Kind::Counter,
        "udp_datagrams_total",
        "Datagrams, by what became of them.",
        "fate",
        [
            ("received", stack.udp_received),
            ("sent", stack.udp_sent),
            ("queue_full", stack.udp_queue_full),
            ("stray", stack.udp_strays),
            ("unreachable", stack.udp_unreachable),
        ],
    )?;
    for (name, help, value) in [
        ("tcp_connections", "Connections now.", stack.tcp_connections),
        (
            "tcp_connections_parked",
            "Connections now that hold no buffers.",
            stack.tcp_parked_now,
        ),
        (
            "tcp_buffer_bytes",
            "Bytes of connections' buffers now.",
            stack.tcp_buffer_bytes,
        ),
        (
            "tcp_time_wait",
            "Connections now that are closed and remembered.",
            stack.tcp_time_wait,
        ),
        ("udp_sockets", "UDP sockets now.", stack.udp_sockets),
    ] {
        text.gauge(name, help, value)?;
    }
    Ok(())
}

fn device(text: &mut Exposition, device: &netfront::Stats) -> fmt::Result {
    for (name, help, value) in [
        (
            "netfront_sent_frames_total",
            "Frames handed to the back end.",
            device.tx_frames,
        ),
        ("netfront_sent_bytes_total", "Their bytes.", device.tx_bytes),
        (
            "netfront_received_frames_total",
            "Frames received and passed on.",
            device.rx_frames,
        ),
        (
            "netfront_received_bytes_total",
            "Their bytes.",
            device.rx_bytes,
        ),
        (
            "netfront_large_sent_total",
            "Large TCP frames among those handed to the back end.",
            device.tx_large,
        ),
        (
            "netfront_large_received_total",
            "Large TCP frames among those received.",
            device.rx_large,
        ),
        (
            "netfront_completed_checksums_total",
            "Frames whose checksum was completed here, because the back end takes no blank ones.",
            device.tx_completed,
        ),
        (
            "netfront_full_total",
            "Times that there was no room for another frame.",
            device.tx_full,
        ),
        (
            "netfront_notifications_total",
            "Notifications sent to the back end.",
            device.notifications,
        ),
        (
            "netfront_connections_total",
            "Connections to a back end.",
            device.connections,
        ),
        (
            "netfront_violations_total",
            "Back ends that broke the protocol, and were left.",
            device.violations,
        ),
    ] {
        text.counter(name, help, value)?;
    }
    text.labelled(
        Kind::Counter,
        "netfront_dropped_total",
        "What was dropped, by reason.",
        "reason",
        [
            ("sent_dropped", device.tx_dropped),
            ("sent_wrong", device.tx_errors),
            ("received_wrong", device.rx_errors),
            ("received_too_long", device.rx_too_long),
            ("received_too_short", device.rx_too_short),
            ("received_not_negotiated", device.rx_not_negotiated),
            ("received_not_large", device.rx_not_large),
        ],
    )?;
    for (name, help, value) in [
        (
            "netfront_send_buffers_in_flight",
            "Send buffers that the back end has.",
            device.tx_in_flight,
        ),
        (
            "netfront_send_buffers",
            "Send buffers altogether.",
            device.tx_buffers,
        ),
        (
            "netfront_pages_offered",
            "Pages that the back end may fill.",
            device.rx_offered,
        ),
    ] {
        text.gauge(name, help, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::collections::BTreeSet;
    use std::string::String;

    /// The grammar of the format, as far as it is used: comments that announce a family, then its samples.
    #[test]
    fn every_line_is_well_formed_and_every_family_is_announced_once() {
        let readings = Readings {
            uptime: Duration::from_millis(1_500),
            device: Some(netfront::Stats::default()),
            ..Readings::default()
        };
        let text = Exposition::written("morgana", |text| write(text, &readings)).unwrap();
        let text = String::from_utf8(text).unwrap();
        let mut families = BTreeSet::new();
        let mut current = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                current = rest.split(' ').next().unwrap();
                assert!(families.insert(current), "{current} twice");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(name, current);
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert_eq!(series.split('{').next(), Some(current), "{line}");
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
        }
        assert!(families.len() > 20);
        assert!(text.contains("\nmorgana_uptime_seconds 1.500000000\n"));
    }
}
