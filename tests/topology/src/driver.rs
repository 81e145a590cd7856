//! A driver domain: back ends that send every frame back to where it came from.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use morgana_emul::EmulPlatform;
use morgana_exec::{Receiver, Sender, channel};
use morgana_hal::DomId;
use morgana_netback::{BackendAddress, Config, Netback, Parted, TxMeta};
use morgana_xenstore_client::Client;

use crate::{Inside, World};

/// A driver domain, from outside.
pub struct Driver {
    /// What is inside.
    pub inside: Inside,
    served: Sender<DomId>,
    violations: Rc<Cell<u64>>,
}

/// Starts a driver domain.
pub fn driver(world: &mut World) -> Driver {
    let (served, wanted) = channel(64);
    let violations = Rc::new(Cell::new(0));
    let count = violations.clone();
    let inside = world.start(move |inside| main(inside, wanted, count));
    Driver {
        inside,
        served,
        violations,
    }
}

impl Driver {
    /// Serves the network device 0 of a domain from now on, until its keys go.
    pub fn serve(&self, front: DomId) {
        assert!(
            self.served.try_send(front).is_ok(),
            "few devices come at once"
        );
    }

    /// How many connections were ended since the front end broke the protocol.
    pub fn violations(&self) -> u64 {
        self.violations.get()
    }
}

async fn main(inside: Inside, wanted: Receiver<DomId>, violations: Rc<Cell<u64>>) {
    let client = inside.xenstore();
    while let Some(front) = wanted.receive().await {
        let task = echo(inside.clone(), client.clone(), front, violations.clone());
        inside.handle.spawn(task).expect("there are few tasks");
    }
}

async fn echo(inside: Inside, client: Client, front: DomId, violations: Rc<Cell<u64>>) {
    let address = BackendAddress {
        frontend: front,
        index: 0,
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
