//! A message in, a message out.

use alloc::vec::Vec;

use domain::base::iana::Rtype;
use morgana_hal::WallTime;

use super::cookie::{self, Cookie};
use super::limiter::{Limiter, Verdict};
use super::memo::{Form, Memo, Question};
use super::opt::{COOKIE_LEN, OPT_LEN, Opt};
use super::{Config, Peer, Stats, Transfer, Transport};
use crate::lookup::{Asked, resolve};
use crate::name::{Name, label_step};
use crate::wire::{
    AA, Edns, Full, HEADER_LEN, Options, Owner, Parsed, Query, Section, TC, Writer, opcode, parse,
    rcode,
};
use crate::zone::Zone;
use crate::zones::Zones;

/// The class of the Internet.
const IN: u16 = 1;
/// The longest answer over UDP without EDNS (RFC 1035 section 4.2.1).
const PLAIN_UDP: usize = 512;
/// The longest message over TCP.
const MAX_MESSAGE: usize = 65_535;

/// What is to be done with a message.
#[derive(Debug)]
pub enum Outcome {
    /// Send what was appended to `out`.
    Reply,
    /// Nothing: it gets no answer.
    Drop,
    /// Send all messages of this, over TCP.
    Transfer(Transfer),
}

/// An authoritative server: zones, and what is remembered between messages.
#[derive(Debug)]
pub struct Server {
    zones: Zones,
    config: Config,
    memo: Memo,
    limiter: Option<Limiter>,
    stats: Stats,
    seed: u64,
}

/// A message that is being answered.
struct Exchange<'q> {
    message: &'q [u8],
    from: Peer,
    /// Seconds since 1970, modulo 2^32.
    second: u32,
    /// Where in the buffer the answer begins.
    start: usize,
    /// What the answer says at its end, if the query said something there.
    opt: Option<Opt>,
    /// Whether the address is proven to be who asks.
    proven: Proven,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Proven {
    Yes,
    No,
}

/// What the rate limit counts together, besides answers from one place of a zone.
mod kind {
    pub(super) const ERROR: u32 = 1;
    pub(super) const MISSING: u32 = 2;
    /// The first that is a place in a zone.
    pub(super) const PLACE: u32 = 16;
}

impl Server {
    /// A server of `zones`.
    pub fn new(zones: Zones, config: Config) -> Self {
        let mut seed = [0; 8];
        seed.copy_from_slice(&config.secret[..8]);
        let seed = u64::from_le_bytes(seed) ^ 0x6a09_e667_f3bc_c908;
        Self {
            zones,
            memo: Memo::new(config.memo_answers, config.memo_octets),
            limiter: config.rate_limit.map(|limit| Limiter::new(limit, seed)),
            config,
            stats: Stats::default(),
            seed,
        }
    }

    /// Serves other zones from now on. Transfers that have begun go on with the old ones.
    pub fn replace(&mut self, zones: Zones) {
        self.zones = zones;
        self.memo.clear();
    }

    /// The zones that are served.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    /// What has been seen and done.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Answers a message: appends what is to be sent to `out`. `now` is the time of day, for cookies and the rate limit.
    pub fn answer(
        &mut self,
        message: &[u8],
        from: Peer,
        now: WallTime,
        out: &mut Vec<u8>,
    ) -> Outcome {
        match from.transport {
            Transport::Udp => self.stats.udp += 1,
            Transport::Tcp => self.stats.tcp += 1,
        }
        let mut exchange = Exchange {
            message,
            from,
            second: now.unix_seconds() as u32,
            start: out.len(),
            opt: None,
            proven: match from.transport {
                Transport::Udp => Proven::No,
                Transport::Tcp => Proven::Yes,
            },
        };
        match parse(message) {
            Parsed::Silence => {
                self.stats.ignored += 1;
                Outcome::Drop
            }
            Parsed::Wrong(rcode) => {
                exchange.write(rcode, b"", out);
                self.finish(&exchange, kind::ERROR, 0, out)
            }
            Parsed::Query(query) => self.query(&query, &mut exchange, out),
        }
    }

    fn query(
        &mut self,
        query: &Query<'_>,
        exchange: &mut Exchange<'_>,
        out: &mut Vec<u8>,
    ) -> Outcome {
        if let Some(edns) = &query.edns {
            exchange.opt = Some(Opt {
                options: edns.options,
                rcode_high: 0,
                cookie: self.cookie(edns, exchange),
            });
            if edns.version > 0 {
                return self.refuse(query, exchange, rcode::BADVERS, out);
            }
        }
        if query.opcode == opcode::NOTIFY {
            return self.notified(query, exchange, out);
        }
        if query.class != IN {
            return self.refuse(query, exchange, rcode::REFUSED, out);
        }
        match query.rtype {
            Rtype::AXFR | Rtype::IXFR => self.transfer(query, exchange, out),
            Rtype::OPT => self.refuse(query, exchange, rcode::FORMERR, out),
            Rtype::ANY => self.look_up(query, exchange, out),
            // Signatures and keys of messages, and what RFC 1035 section 3.2.3 calls obsolete.
            other if (249..=254).contains(&other.to_int()) => {
                self.refuse(query, exchange, rcode::NOTIMP, out)
            }
            _ => self.look_up(query, exchange, out),
        }
    }

    /// The cookie that goes back, if there was one.
    fn cookie(&mut self, edns: &Edns<'_>, exchange: &mut Exchange<'_>) -> Option<Cookie> {
        let secret = &self.config.secret;
        let address = exchange.from.address;
        let (verdict, cookie) = cookie::answer(secret, edns.cookie?, address, exchange.second);
        match verdict {
            cookie::Verdict::New => {}
            cookie::Verdict::Valid => {
                self.stats.cookies_valid += 1;
                exchange.proven = Proven::Yes;
            }
            cookie::Verdict::Invalid => self.stats.cookies_invalid += 1,
        }
        Some(cookie)
    }

    /// An answer that is only a response code.
    fn refuse(
        &mut self,
        query: &Query<'_>,
        exchange: &mut Exchange<'_>,
        rcode: u16,
        out: &mut Vec<u8>,
    ) -> Outcome {
        exchange.write(rcode, query.question(), out);
        if let Some(opt) = &mut exchange.opt {
            opt.rcode_high = (rcode >> 4) as u8;
        }
        self.finish(exchange, kind::ERROR, query.question().len(), out)
    }

    /// A notification: nobody needs to tell us of our own zones, but whoever does gets an answer.
    fn notified(
        &mut self,
        query: &Query<'_>,
        exchange: &mut Exchange<'_>,
        out: &mut Vec<u8>,
    ) -> Outcome {
        self.stats.notifications += 1;
        let ours = Name::from_wire(query.name).is_some_and(|name| self.zones.get(&name).is_some());
        if !ours || query.class != IN {
            return self.refuse(query, exchange, rcode::NOTAUTH, out);
        }
        exchange.write(rcode::NOERROR, query.question(), out);
        out[exchange.start + 2] |= AA;
        self.finish(exchange, kind::ERROR, query.question().len(), out)
    }

    fn transfer(
        &mut self,
        query: &Query<'_>,
        exchange: &mut Exchange<'_>,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let address = exchange.from.address;
        let allowed = self
            .config
            .transfers
            .iter()
            .any(|network| network.contains(address));
        let udp = exchange.from.transport == Transport::Udp;
        // RFC 5936 section 4.2: there is no AXFR over UDP.
        if udp && query.rtype == Rtype::AXFR {
            return self.refuse(query, exchange, rcode::FORMERR, out);
        }
        if !allowed {
            return self.refuse(query, exchange, rcode::REFUSED, out);
        }
        let zone = Name::from_wire(query.name).and_then(|name| self.zones.get(&name).cloned());
        let Some(zone) = zone else {
            return self.refuse(query, exchange, rcode::NOTAUTH, out);
        };
        let current = query.known_serial == Some(zone.serial());
        if udp || query.rtype == Rtype::IXFR && current {
            // RFC 1995 section 2: nothing has changed, or the whole is to be fetched over TCP.
            return self.serial_only(query, exchange, &zone, out);
        }
        self.stats.transfers += 1;
        let mut opt = Vec::new();
        if let Some(own) = &exchange.opt {
            own.write(self.config.udp_size, &mut opt);
        }
        let (id, echoed) = ids(query.message);
        Outcome::Transfer(Transfer::new(zone, id, echoed, query.question(), opt))
    }

    fn serial_only(
        &mut self,
        query: &Query<'_>,
        exchange: &mut Exchange<'_>,
        zone: &Zone,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let (id, echoed) = ids(query.message);
        let mut writer = Writer::new(
            out,
            self.limit(query, exchange),
            id,
            echoed,
            query.question(),
        );
        writer.set(AA);
        let set = zone.set(zone.apex(), Rtype::SOA);
        for data in set.data() {
            let written = writer.record(
                Section::Answer,
                Owner::Question,
                Rtype::SOA,
                set.ttl(),
                data,
            );
            if written.is_err() {
                writer.truncate(query.question().len());
            }
        }
        self.finish(exchange, kind::PLACE, query.question().len(), out)
    }

    /// How long an answer may be, OPT not counted.
    fn limit(&self, query: &Query<'_>, exchange: &Exchange<'_>) -> usize {
        match (exchange.from.transport, &query.edns) {
            (Transport::Udp, None) => PLAIN_UDP,
            (Transport::Udp, Some(edns)) => {
                let wanted = usize::from(edns.udp_size.min(self.config.udp_size));
                wanted.max(PLAIN_UDP) - OPT_LEN - COOKIE_LEN
            }
            (Transport::Tcp, _) => MAX_MESSAGE - OPT_LEN - COOKIE_LEN,
        }
    }

    /// A question to a zone, of which the answer may be kept.
    fn look_up(
        &mut self,
        query: &Query<'_>,
        exchange: &Exchange<'_>,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let form = Form {
            options: query.edns.map_or(Options::Plain, |edns| edns.options),
            limit: self.limit(query, exchange) as u16,
        };
        let question = Question::new(self.seed, query.question(), form);
        let (id, echoed) = ids(query.message);
        if let Some(kept) = self.memo.find(&question) {
            self.stats.memo_hits += 1;
            kept.write(id, echoed, query.name, out);
            let source = kept.source;
            return self.finish(exchange, source, query.question().len(), out);
        }
        self.stats.memo_misses += 1;
        let asked = Asked {
            name: query.name,
            rtype: query.rtype,
            options: form.options,
        };
        let Some(zone) = self.zone_for(query) else {
            exchange.write(rcode::REFUSED, query.question(), out);
            return self.finish(exchange, kind::ERROR, query.question().len(), out);
        };
        let mut writer = Writer::new(out, usize::from(form.limit), id, echoed, query.question());
        let (resolved, all) = resolve(zone, &asked, &mut writer);
        writer.set_rcode(resolved.rcode);
        if all == Err(Full) {
            writer.truncate(query.question().len());
            if exchange.from.transport == Transport::Tcp {
                // There is no way by which it would fit.
                writer.set_rcode(rcode::SERVFAIL);
            }
        }
        if resolved.authoritative {
            writer.set(AA);
        }
        let source = match resolved.rcode {
            rcode::NXDOMAIN => kind::MISSING,
            _ => kind::PLACE.saturating_add(resolved.source),
        };
        self.memo.keep(&question, &out[exchange.start..], source);
        self.finish(exchange, source, query.question().len(), out)
    }

    /// The zone that a question is for. DS belongs to the zone above a cut (RFC 4035 section 3.1.4.1), if we have it.
    fn zone_for(&self, query: &Query<'_>) -> Option<&Zone> {
        let above = match query.rtype {
            Rtype::DS => self.zones.longest(&query.name[label_step(query.name)..]),
            _ => None,
        };
        above
            .or_else(|| self.zones.longest(query.name))
            .map(|zone| &**zone)
    }

    /// Lets an answer out that lacks only its OPT, or not.
    fn finish(
        &mut self,
        exchange: &Exchange<'_>,
        source: u32,
        question: usize,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let start = exchange.start;
        if let (Some(limiter), Proven::No) = (&mut self.limiter, exchange.proven) {
            match limiter.check(exchange.from.address, source, exchange.second) {
                Verdict::Send => {}
                Verdict::Slip => {
                    self.stats.slipped += 1;
                    out.truncate(start + HEADER_LEN + question);
                    out[start + 2] |= TC;
                    out[start + 6..start + HEADER_LEN].fill(0);
                }
                Verdict::Drop => {
                    self.stats.limited += 1;
                    out.truncate(start);
                    return Outcome::Drop;
                }
            }
        }
        let rcode = usize::from(out[start + 3] & 0x0f);
        let last = self.stats.rcodes.len() - 1;
        self.stats.rcodes[rcode.min(last)] += 1;
        self.stats.truncated += u64::from(out[start + 2] & TC != 0);
        if let Some(opt) = &exchange.opt {
            opt.write(self.config.udp_size, out);
            let count = u16::from_be_bytes([out[start + 10], out[start + 11]]) + 1;
            out[start + 10..start + 12].copy_from_slice(&count.to_be_bytes());
        }
        Outcome::Reply
    }
}

impl Exchange<'_> {
    /// An answer without records.
    fn write(&self, rcode: u16, question: &[u8], out: &mut Vec<u8>) {
        let (id, echoed) = ids(self.message);
        Writer::new(out, usize::MAX, id, echoed, question).set_rcode(rcode);
    }
}

/// What an answer repeats of a message, which has a header.
fn ids(message: &[u8]) -> ([u8; 2], [u8; 2]) {
    ([message[0], message[1]], Query::echoed(message))
}
