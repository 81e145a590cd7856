//! The daemon as a domain of its own, with a helper in domain 0 that has the logs and the terminals.

use alloc::boxed::Box;
use core::convert::Infallible;
use core::error::Error;

use morgana::exec::{Either, select};
use morgana::hal::{Clock, DomId, Port, WallTime};
use morgana::{CommandLine, Domain, Platform, log};
use morgana_pv::Pv;
use morgana_vchan::{Sizes, VchanError, listen};
use morgana_xenconsoled::{
    AttachError, Daemon, Escapes, Guests, Host, Link, Options, Overflow, PlatformRing, Stamps,
    attach,
};

use crate::LINK;

/// Which part of the memory may have the output of one guest that nobody reads: those of all guests that can be served take a quarter of it.
const SHARES: usize = 512;

/// Serves guests whose consoles are given to this domain.
pub(crate) async fn serve(domain: Domain<Pv>) -> Result<(), Box<dyn Error>> {
    let link = Link::default();
    let host = StubHost {
        pv: *domain.platform(),
        link: link.clone(),
    };
    let mut options = options(domain.command_line())?;
    options.most_unread = domain.platform().usage().heap_total_bytes / SHARES;
    let client = domain.xenstore()?.clone();
    let daemon = Daemon::new(host, client, domain.tasks(), options, Guests::Given);
    let helped = help(domain.clone(), link);
    match select(daemon.serve(), helped).await {
        Either::First(Err(error)) => Err(error.into()),
        Either::Second(Err(error)) => Err(error.into()),
        Either::First(Ok(never)) | Either::Second(Ok(never)) => match never {},
    }
}

/// Has a helper, and another one when that has gone.
async fn help(domain: Domain<Pv>, link: Link) -> Result<Infallible, VchanError> {
    loop {
        let client = domain.xenstore().map_err(|_| VchanError::Closed)?;
        let sizes = Sizes::default();
        let vchan = listen(domain.platform(), client, DomId::DOM0, LINK, sizes).await?;
        log::info!("waits for its helper in domain 0, or serves it");
        let end = link.drive(&vchan).await;
        log::warn!("the helper is gone: {end}");
    }
}

/// What the command line says.
fn options(line: &CommandLine) -> Result<Options, Box<dyn Error>> {
    let mut options = Options::default();
    if line.value("timestamp") == Some("guest") {
        options.stamps = Stamps::Time;
    }
    if line.value("overflow") == Some("keep") {
        options.overflow = Overflow::Keep;
    }
    if line.value("escape") == Some("keep") {
        options.escapes = Escapes::Keep;
    }
    let rate = &mut options.rate;
    rate.bytes_a_second = line.parse("rate", rate.bytes_a_second)?;
    rate.burst = line.parse("burst", rate.burst)?;
    rate.shared = line.parse("shared-rate", rate.shared)?;
    Ok(options)
}

/// Rings by Xen; all else at the other end of the link.
struct StubHost {
    pv: Pv,
    link: Link,
}

impl Host for StubHost {
    type Ring = PlatformRing<Pv>;
    type Outlets = Link;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Ring, AttachError> {
        attach(&self.pv, domain, port)
    }

    fn outlets(&self) -> &Link {
        &self.link
    }

    fn wall(&self) -> WallTime {
        self.pv.clock().wall()
    }
}
