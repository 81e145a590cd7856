//! One domain, served over its ring for as long as it is there.

use core::future::poll_fn;

use morgana_exec::{Either, Seldom, select, yield_now};
use morgana_hal::DomId;
use morgana_xenstore_store::{Features, Service};

use crate::client::{End, Session};
use crate::line::RingLine;
use crate::slot::{Slot, Standing};
use crate::{Rings, Served};

/// Serves a domain. One that breaks the protocol is told so and then left alone until it asks to begin anew, which it may at any time
/// (docs/misc/xenstore-ring.txt, "The ring reconnection feature"). `service` is how it begins. Returns when a domain that cannot ask has broken the protocol.
pub(crate) async fn serve_ring<R: Rings, S: Served, M: Slot>(
    session: Session<R>,
    domain: DomId,
    line: RingLine<S, M>,
    features: Features,
    mut service: Service,
) {
    let can_reconnect = features.contains(Features::RECONNECTION);
    let mut faults = Seldom::default();
    let mut restarts = Seldom::default();
    let stream = &line.stream;
    loop {
        if service == Service::Open
            && let Some(end) = serve(&session, &line, can_reconnect).await
        {
            if faults.again().is_some() {
                log::warn!("{domain} is not served any longer: {end}");
            }
            session.server.pause(session.connection);
            line.pause(&session, Some(end.fault()));
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
        line.pause(&session, None);
        session.outbox.open();
        stream.reset();
        // Before the domain may use the ring.
        line.keep_all(&session, Standing::Open);
        stream.connect();
        service = Service::Open;
        // A domain can ask again at once: others have their turn in between.
        yield_now().await;
    }
}

/// Serves until the domain breaks the protocol, or (`None`) asks to begin anew.
async fn serve<R: Rings, S: Served, M: Slot>(
    session: &Session<R>,
    line: &RingLine<S, M>,
    can_reconnect: bool,
) -> Option<End> {
    if !can_reconnect {
        return Some(session.serve(line).await);
    }
    let asked = poll_fn(|cx| line.stream.poll_reconnect(cx));
    match select(asked, session.serve(line)).await {
        Either::First(()) => None,
        Either::Second(end) => Some(end),
    }
}
