//! A network back end that sends every frame back to where it came from.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use morgana_emul::EmulPlatform;
use morgana_hal::DomId;
use morgana_netback::{BackendAddress, Config, Netback, Parted, TxMeta};
use morgana_xenstore_client::Client;

use crate::{Inside, Kind};

/// Serves the network device of `front` until its keys go.
pub(crate) async fn echo(inside: Inside, client: Client, front: DomId, violations: Rc<Cell<u64>>) {
    let address = BackendAddress {
        frontend: front,
        index: Kind::Vif.index(),
    };
    let config = Config::default();
    let opened = Netback::open(&inside.platform, &client, &inside.handle, address, config).await;
    // The keys may have gone already.
    let Ok(mut back) = opened else { return };
    let mut last = back.parted();
    loop {
        answer(&mut back);
        let parted = back.parted();
        if parted != last && matches!(parted, Parted::Violation(_)) {
            violations.set(violations.get() + 1);
        }
        last = parted;
        if parted == Parted::Removed {
            return back.close().await;
        }
        // It wakes for a front end that comes or goes, but is not ready then.
        poll_fn(|cx| match back.parted() == last {
            true => back.poll_ready(cx),
            false => Poll::Ready(()),
        })
        .await;
    }
}

/// Sends back all that came.
fn answer(back: &mut Netback<EmulPlatform>) {
    while let Some(bytes) = back.receive().map(|mut frame| frame.bytes().to_vec()) {
        if bytes.len() <= back.max_frame()
            && let Some(slot) = back.transmit()
        {
            slot.send(bytes.len(), |into| {
                into.copy_from_slice(&bytes);
                TxMeta::default()
            });
        }
    }
    back.flush();
}
