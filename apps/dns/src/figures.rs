//! Figures in the text format that Prometheus scrapes, version 0.0.4.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use morgana_exec::Timers;
use morgana_hal::Platform;
use morgana_http::{BodyError, Handler, Limits, Read, Request, Response, Server, Status};
use morgana_net_stack::Stack;

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

    fn write(&self, out: &mut Text) -> fmt::Result {
        let server = self.shared.server();
        let (stats, zones) = (server.stats(), server.zones());
        let usage = self.shared.platform().usage();
        let stack = self.stack.stats();
        let names: usize = zones.iter().map(|zone| zone.name_count()).sum();
        let memory: usize = zones.iter().map(|zone| zone.memory()).sum();
        let number = |value: usize| value as u64;
        let gauges = [
            ("zones", number(zones.len())),
            ("zone_names", number(names)),
            ("zone_bytes", number(memory)),
            ("heap_used_bytes", number(usage.heap_used_bytes)),
            ("heap_size_bytes", number(usage.heap_total_bytes)),
            ("tcp_connections", number(stack.tcp_connections)),
        ];
        let counters = [
            ("ignored_total", stats.ignored),
            ("truncated_total", stats.truncated),
            ("rate_limited_total", stats.limited),
            ("rate_slipped_total", stats.slipped),
            ("memo_hits_total", stats.memo_hits),
            ("memo_misses_total", stats.memo_misses),
            ("cookies_valid_total", stats.cookies_valid),
            ("cookies_invalid_total", stats.cookies_invalid),
            ("transfers_total", stats.transfers),
            ("notifications_total", stats.notifications),
            ("reloads_total", self.shared.reloads()),
            ("connections_refused_total", self.shared.refusals()),
            ("udp_received_total", stack.udp_received),
            ("udp_sent_total", stack.udp_sent),
            ("udp_queue_full_total", stack.udp_queue_full),
        ];
        for (kind, values) in [("gauge", &gauges[..]), ("counter", &counters[..])] {
            for (name, value) in values {
                write!(
                    out,
                    "# TYPE morgana_dns_{name} {kind}\nmorgana_dns_{name} {value}\n"
                )?;
            }
        }
        out.write_str("# TYPE morgana_dns_messages_total counter\n")?;
        for (transport, value) in [("udp", stats.udp), ("tcp", stats.tcp)] {
            writeln!(
                out,
                "morgana_dns_messages_total{{transport=\"{transport}\"}} {value}"
            )?;
        }
        out.write_str("# TYPE morgana_dns_answers_total counter\n")?;
        let codes = [
            "noerror", "formerr", "servfail", "nxdomain", "notimp", "refused", "other",
        ];
        for (code, value) in codes.iter().zip(stats.rcodes) {
            writeln!(out, "morgana_dns_answers_total{{rcode=\"{code}\"}} {value}")?;
        }
        Ok(())
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
        let mut text = Text(Vec::new());
        match self.write(&mut text) {
            Ok(()) => Response::ok("text/plain; version=0.0.4; charset=utf-8", text.0),
            Err(_) => Response::text(Status::SERVICE_UNAVAILABLE),
        }
    }
}

/// Text that is being written; it is an error, not the program's end, if there is no memory for more of it.
struct Text(Vec<u8>);

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.try_reserve(text.len()).map_err(|_| fmt::Error)?;
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
