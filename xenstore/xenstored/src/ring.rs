//! One domain, served over its ring for as long as it is there.

use core::future::poll_fn;

use morgana_exec::{Either, Seldom, select, yield_now};
use morgana_hal::DomId;
use morgana_xenstore_store::{Features, Service};

use crate::client::{End, Session};
use crate::{Rings, Served};

/// Serves a domain. One that breaks the protocol is told so and then left alone until it asks to begin anew, which it may at any time
/// (docs/misc/xenstore-ring.txt, "The ring reconnection feature"). `service` is how it begins. Returns when a domain that cannot ask has broken the protocol.
pub(crate) async fn serve_ring<R: Rings, S: Served>(
    mut session: Session<R>,
    domain: DomId,
    stream: S,
    features: Features,
    mut service: Service,
) {
    let can_reconnect = features.contains(Features::RECONNECTION);
    let mut faults = Seldom::default();
    let mut restarts = Seldom::default();
    loop {
        if service == Service::Open
            && let Some(end) = serve(&mut session, &stream, can_reconnect).await
        {
            if faults.again().is_some() {
                log::warn!("{domain} is not served any longer: {end}");
            }
            session.server.pause(session.connection);
            if features.contains(Features::ERROR) {
                stream.give_up(end.fault());
            }
            if !can_reconnect {
                return;
            }
            service = Service::Paused;
        }
        if service == Service::Paused {
            poll_fn(|cx| stream.poll_reconnect(cx)).await;
        }
        if restarts.again().is_some() {
            log::info!("{domain} begins anew");
        }
        session.server.pause(session.connection);
        session.outbox.open();
        stream.connect();
        service = Service::Open;
        // A domain can ask again at once: others have their turn in between.
        yield_now().await;
    }
}

/// Serves until the domain breaks the protocol, or (`None`) asks to begin anew.
async fn serve<R: Rings, S: Served>(
    session: &mut Session<R>,
    stream: &S,
    can_reconnect: bool,
) -> Option<End> {
    if !can_reconnect {
        return Some(session.serve(stream).await);
    }
    let asked = poll_fn(|cx| stream.poll_reconnect(cx));
    match select(asked, session.serve(stream)).await {
        Either::First(()) => None,
        Either::Second(end) => Some(end),
    }
}
