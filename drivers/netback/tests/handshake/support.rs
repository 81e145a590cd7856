//! Network devices in the machine of these tests.

use std::future::poll_fn;
use std::time::Duration;

use morgana_emul::EmulPlatform;
use morgana_exec::{Either, select};
use morgana_hal::DomId;
use morgana_netback::{BackendAddress, Config, Netback, TxMeta};
use morgana_netfront::{ConnectError, Netfront};

use crate::domain::Domain;
use crate::machine::{FRONT, back_path};

/// Their class, and the number of the one that is tested.
pub(crate) const DEVICE: (&str, u32) = ("vif", 0);

pub(crate) const FRONT_PATH: &str = "/local/domain/1/device/vif/0";

/// What the toolstack writes for a front end besides.
pub(crate) const OWN_KEY: (&str, &str) = ("mac", "00:16:3e:01:02:03");

impl Domain {
    /// The back end of this domain.
    pub(crate) async fn netback(&self) -> Netback<EmulPlatform> {
        let address = BackendAddress {
            frontend: FRONT,
            index: 0,
        };
        let (client, config) = (&self.client, Config::default());
        Netback::open(&self.platform, client, &self.handle, address, config)
            .await
            .unwrap()
    }

    /// Writes a key of a back end of this domain's by hand.
    pub(crate) async fn write_back(&self, key: &str, value: &str) {
        let path = format!("{}/{key}", back_path(DomId::DOM0));
        self.client.write(&path, value).await.unwrap();
    }

    /// Says, in place of a back end, that one is ready for a front end.
    pub(crate) async fn offer_by_hand(&self) {
        self.write_back("feature-rx-copy", "1").await;
        self.write_back("state", "2").await;
    }

    /// Waits until front and back end are in these states.
    pub(crate) async fn until_states_are(&self, wanted: &str) {
        while self.states(DomId::DOM0).await != wanted {
            self.handle.timers().sleep(Duration::from_millis(100)).await;
        }
    }

    /// The front end of this domain.
    pub(crate) async fn netfront(&self) -> Result<Netfront<EmulPlatform>, ConnectError> {
        self.netfront_with(Default::default()).await
    }

    /// The same, with a configuration of its own.
    pub(crate) async fn netfront_with(
        &self,
        config: morgana_netfront::Config,
    ) -> Result<Netfront<EmulPlatform>, ConnectError> {
        let client = &self.client;
        Netfront::connect(&self.platform, client, &self.handle, 0, config).await
    }

    /// Sends all that `back` receives back to where it came from, until some domain has reached `point`.
    pub(crate) async fn echo(&self, back: &mut Netback<EmulPlatform>, point: &'static str) {
        loop {
            while let Some(bytes) = back.receive().map(|mut frame| frame.bytes().to_vec()) {
                if let Some(slot) = back.transmit() {
                    slot.send(bytes.len(), |into| {
                        into.copy_from_slice(&bytes);
                        TxMeta::default()
                    });
                }
            }
            let ready = poll_fn(|cx| back.poll_ready(cx));
            if let Either::Second(()) = select(ready, self.wait_for(point)).await {
                return;
            }
        }
    }
}

/// Sends frames one by one, and waits for each to come back. Those that are lost while the device is not connected are sent again.
pub(crate) async fn ping(domain: &Domain, front: &mut Netfront<EmulPlatform>, count: u8) {
    for number in 0..count {
        let frame = [number; 60];
        'sent: loop {
            if let Some(slot) = front.transmit() {
                slot.send(frame.len(), |into| {
                    into.copy_from_slice(&frame);
                    TxMeta::default()
                });
            }
            front.flush();
            let patience = domain.handle.timers().now() + Duration::from_secs(1);
            loop {
                while let Some(mut received) = front.receive() {
                    if received.bytes() == frame {
                        break 'sent;
                    }
                }
                let ready = poll_fn(|cx| front.poll_ready(cx));
                let patience = domain.handle.timers().sleep_until(patience);
                if let Either::Second(()) = select(ready, patience).await {
                    break;
                }
            }
        }
    }
}
