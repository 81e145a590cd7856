//! What the daemon does wherever it runs.

use core::convert::Infallible;

use morgana_exec::Handle;
use morgana_hal::{Channel, DomId, Pages};
use morgana_xenstored::{IntroduceError, Rights, Ring, Rings, Server};
#[cfg(not(target_os = "none"))]
use morgana_xenstored::{Loaded, Recovered, Resumed};

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

/// A server that goes on with what another one has left, as soon as its connections are resumed. What that one was told counts, not the
/// options: limits, and whether requests are logged.
#[cfg(not(target_os = "none"))]
pub(crate) fn resumed<R: Rings>(
    rings: R,
    tasks: &Handle,
    options: &Options,
    loaded: Loaded,
) -> (Server<R>, Vec<Resumed>) {
    let (server, connections) = Server::resume(rings, tasks, loaded);
    server.set_orphans(options.orphans);
    (server, connections)
}

/// A server that goes on after another one has crashed, as soon as its connections are resumed. The limits are those that were in force.
#[cfg(not(target_os = "none"))]
pub(crate) fn recovered<R: Rings>(
    rings: R,
    tasks: &Handle,
    options: &Options,
    recovered: Recovered,
) -> (Server<R>, Vec<Resumed>) {
    let (server, connections) = Server::recover(rings, tasks, recovered);
    server.set_orphans(options.orphans);
    server.set_trace(options.trace);
    (server, connections)
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
