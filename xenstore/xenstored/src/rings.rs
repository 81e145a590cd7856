//! How the rings of domains are reached.

use morgana_hal::{ByteStream, Channel, DomId, Events, GrantRef, Memory, Pages, Platform, Port};
use morgana_ring::{ByteLayout, RingStream, Side};
use morgana_xenstore_store::Features;

use crate::IntroduceError;

/// By which reference a domain grants its xenstore page (grant_table.h, `GNTTAB_RESERVED_XENSTORE`).
const XENSTORE_GRANT: GrantRef = GrantRef::new(1);

/// The ring in a page of type `M`, with an event channel of type `C`.
pub type Ring<M, C> = RingStream<M, C>;

/// The daemon's end of a domain's ring: a stream, and what else the page has (docs/misc/xenstore-ring.txt).
pub trait Served: ByteStream {
    /// Tells the domain what the daemon can do for it.
    fn advertise(&self, features: Features);

    /// Tells the domain that it is not served any longer, and why.
    fn give_up(&self, fault: Fault);
}

/// Why a domain is not served any longer (io/xs_wire.h, `XENSTORE_ERROR_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// `XENSTORE_ERROR_COMM`: its end does not answer.
    Communication = 1,
    /// `XENSTORE_ERROR_RINGIDX`: it has written impossible indices.
    RingIndex = 2,
    /// `XENSTORE_ERROR_PROTO`: it has broken the protocol.
    Protocol = 3,
}

impl<M: Pages, C: Channel> Served for Ring<M, C> {
    fn advertise(&self, features: Features) {
        let region = self.pages().region();
        region.store_u32(ByteLayout::XENSTORE_SERVER_FEATURES, features.bits());
    }

    fn give_up(&self, fault: Fault) {
        let region = self.pages().region();
        region.store_u32(ByteLayout::XENSTORE_ERROR, fault as u32);
        self.channel().notify();
    }
}

/// How the rings of domains are reached. Every platform can; a daemon that serves sockets only has an own type that cannot.
pub trait Rings: 'static {
    /// A domain's ring.
    type Stream: Served;

    /// Takes up the ring of `domain`, whose port is `port`.
    ///
    /// # Errors
    ///
    /// [`IntroduceError`].
    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError>;
}

impl<P: Platform> Rings for P {
    type Stream = Ring<<P::Memory as Memory>::Imported, <P::Events as Events>::Channel>;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError> {
        let pages = self.memory().import(domain, &[XENSTORE_GRANT])?;
        let channel = self.events().connect(domain, port)?;
        let stream = RingStream::attach(pages, channel, ByteLayout::XENSTORE, Side::Server)?;
        Ok(stream)
    }
}
