//! What the daemon does wherever it runs.

use core::convert::Infallible;

use morgana_exec::Handle;
use morgana_hal::{Channel, DomId, Pages};
use morgana_xenstored::{IntroduceError, Rights, Ring, Rings, Server};

use crate::arguments::Options;

/// There from the start, as Xen's own daemons have it.
const FIRST_NODE: &str = "/tool/xenstored";

/// A server that serves nobody yet.
pub(crate) fn server<R: Rings>(rings: R, tasks: &Handle, options: &Options) -> Server<R> {
    let server = Server::new(rings, tasks, options.quota);
    server.set_orphans(options.orphans);
    server.set_trace(options.trace);
    server.make(FIRST_NODE);
    server
}

/// Serves domain 0, the control domain, over its ring.
///
/// # Errors
///
/// [`IntroduceError`].
pub(crate) fn serve_domain_0<R: Rings, M: Pages, C: Channel>(
    server: &Server<R>,
    ring: Ring<M, C>,
) -> Result<(), IntroduceError> {
    // Its kernel waits for this before it asks anything.
    ring.channel().notify();
    server.introduce_stream(DomId::DOM0, ring, Rights::Control)
}

/// Looks how the domains are, all but `own`, whenever `ends` tells that some domain has changed.
pub(crate) async fn follow_ends<R: Rings>(
    server: Server<R>,
    ends: impl Channel,
    own: DomId,
) -> Infallible {
    loop {
        let seen = ends.count();
        server.refresh(own);
        ends.after(seen).await;
    }
}
