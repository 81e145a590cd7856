//! The daemon as a domain of its own, which `init-xenstore-domain` of Xen's tools builds: its command line has `--event PORT`, domain 0 grants
//! it the page of its ring, and Xen tells it when domains end.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use core::error::Error;
use core::fmt;

use morgana::hal::{Channel, DomId, DomainState, Events, Port, Virq};
use morgana::{Domain, Platform, log};
use morgana_pv::{Pv, PvDomains};
use morgana_xenstored::{IntroduceError, PlatformRing, Rights, Rings, Server, attach};

use crate::arguments::{Arguments, Options};

/// There from the start, as Xen's own daemons have it.
const FIRST_NODE: &str = "/tool/xenstored";

/// Serves until the machine ends.
pub(crate) async fn serve(domain: Domain<Pv>) -> Result<(), Box<dyn Error>> {
    let words = domain.command_line().as_str().split_whitespace();
    let Arguments::Run(options) = Arguments::parse(words.map(str::to_owned))? else {
        return Err(NoPort.into());
    };
    let port = Port::new(options.event.ok_or(NoPort)?);
    let pv = *domain.platform();
    let own = pv.id().ok_or(NoId)?;
    // Bound before anything else, so that no end is missed.
    let ends = pv.events().virq(Virq::DomainException)?;
    let rings = StubRings {
        domains: pv.domains()?,
        pv,
    };
    let server = start(rings, &domain, &options);
    let ring = attach(&pv, DomId::DOM0, port)?;
    // Domain 0's kernel waits for this before it asks anything.
    ring.channel().notify();
    server.introduce_stream(DomId::DOM0, ring, Rights::Control)?;
    log::info!("serves domain 0");
    loop {
        let seen = ends.count();
        server.refresh(own);
        ends.after(seen).await;
    }
}

fn start(rings: StubRings, domain: &Domain<Pv>, options: &Options) -> Server<StubRings> {
    let server = Server::new(rings, domain.tasks(), options.quota);
    server.set_orphans(options.orphans);
    server.set_trace(options.trace);
    server.make(FIRST_NODE);
    server
}

/// The rings of domains, and Xen, which knows how domains are.
struct StubRings {
    pv: Pv,
    domains: PvDomains,
}

impl Rings for StubRings {
    type Stream = PlatformRing<Pv>;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError> {
        attach(&self.pv, domain, port)
    }

    fn state(&self, domain: DomId) -> DomainState {
        self.domains.state(domain)
    }
}

/// Nobody has said where domain 0 waits.
#[derive(Debug)]
struct NoPort;

impl fmt::Display for NoPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the command line has no --event PORT: init-xenstore-domain starts this image")
    }
}

impl Error for NoPort {}

/// Every event channel is in use already.
#[derive(Debug)]
struct NoId;

impl fmt::Display for NoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no event channel is left to find out the own domain id")
    }
}

impl Error for NoId {}
