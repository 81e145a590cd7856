//! The daemon as a domain of its own, which `init-xenstore-domain` of Xen's tools builds: its command line has `--event PORT`, domain 0 grants
//! it the page of its ring, and Xen tells it when domains end.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use core::convert::Infallible;
use core::error::Error;
use core::fmt;

use morgana::hal::{DomId, DomainState, Events, Port, Virq};
use morgana::{Domain, Platform, log};
use morgana_pv::{Pv, PvDomains};
use morgana_xenstored::{IntroduceError, MemoryLeft, PlatformRing, Rings, attach};

use crate::arguments::Arguments;
use crate::serving;

/// Serves until the machine ends.
pub(crate) async fn serve(domain: Domain<Pv>) -> Result<(), Box<dyn Error>> {
    let words = domain.command_line().as_str().split_whitespace();
    let Arguments::Run(options) = Arguments::parse(words.map(str::to_owned))? else {
        return Err(StartError::NoPort.into());
    };
    let port = Port::new(options.event.ok_or(StartError::NoPort)?);
    let pv = *domain.platform();
    let own = pv.id().ok_or(StartError::NoId)?;
    // Bound before anything else, so that no end is missed.
    let ends = pv.events().virq(Virq::DomainException)?;
    let rings = StubRings {
        domains: pv.domains()?,
        pv,
    };
    let server = serving::server(rings, domain.tasks(), &options);
    serving::serve_domain_0(&server, attach(&pv, DomId::DOM0, port)?)?;
    log::info!("serves domain 0");
    match serving::follow_ends(server, ends, own).await {}
}

/// Where no more than this part of memory is left, guests get no more of it.
const SHORT: usize = 8;
/// And here nobody does. What is left then has room for the greatest request, with all events that it brings about.
const EXHAUSTED: usize = 16;

/// The rings of domains, and Xen, which knows how domains are.
struct StubRings {
    pv: Pv,
    domains: PvDomains,
}

impl Rings for StubRings {
    type Stream = PlatformRing<Pv>;
    type Slot = Infallible;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError> {
        attach(&self.pv, domain, port)
    }

    fn state(&self, domain: DomId) -> DomainState {
        self.domains.state(domain)
    }

    fn memory_left(&self) -> MemoryLeft {
        let usage = self.pv.usage();
        let left = usage.heap_total_bytes - usage.heap_used_bytes;
        match usage.heap_total_bytes / left.max(1) {
            ..SHORT => MemoryLeft::Enough,
            SHORT..EXHAUSTED => MemoryLeft::Short,
            EXHAUSTED.. => MemoryLeft::Exhausted,
        }
    }
}

/// Why the stub-domain cannot begin.
#[derive(Debug)]
enum StartError {
    NoPort,
    NoId,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPort => {
                "the command line has no --event PORT: init-xenstore-domain starts this image"
            }
            Self::NoId => "no event channel is left to find out the own domain id",
        })
    }
}

impl Error for StartError {}
