//! Figures for whoever scrapes them.

use alloc::rc::Rc;
use core::fmt;

use morgana_exec::Timers;
use morgana_hal::Platform;
use morgana_http::{BodyError, Handler, Limits, Read, Request, Response, Server, Status};
use morgana_net_stack::Stack;
use morgana_web::{Exposition, Kind};

use crate::Shared;

/// Shows figures at `/metrics`.
#[derive(Debug)]
pub struct Figures<P> {
    shared: Shared<P>,
    stack: Stack,
}

impl<P: Platform> Figures<P> {
    /// An HTTP server of figures.
    pub fn server(shared: Shared<P>, stack: Stack, timers: Timers) -> Rc<Server<Self>> {
        let limits = Limits {
            connections: 8,
            ..Limits::default()
        };
        Rc::new(Server::new(Self { shared, stack }, timers, limits))
    }

    fn write(&self, text: &mut Exposition) -> fmt::Result {
        let server = self.shared.server();
        let (stats, zones) = (server.stats(), server.zones());
        let usage = self.shared.platform().usage();
        let stack = self.stack.stats();
        let names: usize = zones.iter().map(|zone| zone.name_count()).sum();
        let memory: usize = zones.iter().map(|zone| zone.memory()).sum();
        let number = |value: usize| value as u64;
        let gauges = [
            ("zones", "Zones that are served.", number(zones.len())),
            ("zone_names", "Names in all zones.", number(names)),
            ("zone_bytes", "Memory that the zones take.", number(memory)),
            (
                "heap_used_bytes",
                "Heap in use.",
                number(usage.heap_used_bytes),
            ),
            (
                "heap_size_bytes",
                "The heap's size.",
                number(usage.heap_total_bytes),
            ),
            (
                "tcp_connections",
                "TCP connections open now.",
                number(stack.tcp_connections),
            ),
        ];
        let counters = [
            (
                "ignored_total",
                "Messages that got no answer.",
                stats.ignored,
            ),
            (
                "truncated_total",
                "Answers by UDP that were too long for it.",
                stats.truncated,
            ),
            (
                "rate_limited_total",
                "Answers that the rate limit held back.",
                stats.limited,
            ),
            (
                "rate_slipped_total",
                "Truncated answers instead of those over the rate limit.",
                stats.slipped,
            ),
            (
                "memo_hits_total",
                "Answers that were there already.",
                stats.memo_hits,
            ),
            (
                "memo_misses_total",
                "Answers that were made.",
                stats.memo_misses,
            ),
            (
                "cookies_valid_total",
                "Queries with a valid server cookie.",
                stats.cookies_valid,
            ),
            (
                "cookies_invalid_total",
                "Queries with a server cookie that is not valid.",
                stats.cookies_invalid,
            ),
            (
                "transfers_total",
                "Zones given to secondaries.",
                stats.transfers,
            ),
            (
                "notifications_total",
                "NOTIFY messages received.",
                stats.notifications,
            ),
            (
                "reloads_total",
                "Times that zones were replaced.",
                self.shared.reloads(),
            ),
            (
                "connections_refused_total",
                "TCP connections over the limit.",
                self.shared.refusals(),
            ),
            (
                "udp_received_total",
                "UDP datagrams received.",
                stack.udp_received,
            ),
            ("udp_sent_total", "UDP datagrams sent.", stack.udp_sent),
            (
                "udp_queue_full_total",
                "UDP datagrams dropped, since too many waited.",
                stack.udp_queue_full,
            ),
        ];
        for (name, help, value) in gauges {
            text.gauge(name, help, value)?;
        }
        for (name, help, value) in counters {
            text.counter(name, help, value)?;
        }
        let transports = [("udp", stats.udp), ("tcp", stats.tcp)];
        text.labelled(
            Kind::Counter,
            "messages_total",
            "Messages received.",
            "transport",
            transports,
        )?;
        let codes = [
            "noerror", "formerr", "servfail", "nxdomain", "notimp", "refused", "other",
        ];
        let codes = codes.into_iter().zip(stats.rcodes);
        text.labelled(
            Kind::Counter,
            "answers_total",
            "Answers, by their code.",
            "rcode",
            codes,
        )
    }
}

impl<P: Platform> Handler for Figures<P> {
    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        if request.path() != "/metrics" {
            return Response::text(Status::NOT_FOUND);
        }
        Exposition::answer("morgana_dns", |text| self.write(text))
    }
}
