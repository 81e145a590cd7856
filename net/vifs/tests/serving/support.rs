//! A machine with a toolstack (domain 0), a driver domain (1) and guests.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use morgana_bridge::Bridge;
use morgana_emul::{DomainConfig, EmulPlatform, Lockstep};
use morgana_exec::{Either, select};
use morgana_hal::{DomId, Exit, Platform, Usage};
use morgana_net_device::{MacAddr, PairDevice, TxMeta};
use morgana_netback::Netback;
use morgana_netfront::Netfront;
use morgana_vifs::{Config, Vifs};
use morgana_xenstore_client::Error;

use crate::domain::{Domain, Meeting, give};
use crate::xenstored::Xenstored;

pub(crate) const DRIVER: DomId = DomId::new(1);

/// The interface of a driver domain's services.
pub(crate) type Served = Vifs<EmulPlatform, PairDevice>;

impl Domain {
    pub(crate) async fn sleep(&self, seconds: u64) {
        self.handle
            .timers()
            .sleep(Duration::from_secs(seconds))
            .await;
    }

    /// Makes an interface as the toolstack does, all at once.
    pub(crate) async fn attach(&self, guest: DomId, index: u32) {
        let (front, back) = paths(guest, index);
        let made = self.client.transaction(async |tree| {
            give(tree, &back, DRIVER, guest).await?;
            give(tree, &front, guest, DRIVER).await?;
            for (path, key, value) in [
                (&back, "frontend", front.clone()),
                (&back, "frontend-id", guest.number().to_string()),
                (&back, "mac", mac(guest, index).to_string()),
                (&back, "online", "1".into()),
                (&back, "state", "1".into()),
                (&front, "backend", back.clone()),
                (&front, "backend-id", DRIVER.number().to_string()),
                (&front, "mac", mac(guest, index).to_string()),
                (&front, "state", "1".into()),
            ] {
                tree.write(&format!("{path}/{key}"), value).await?;
            }
            Ok::<_, Error>(())
        });
        made.await.unwrap();
    }

    /// Does what libxl does to detach an interface: asks the back end, and waits until it has taken its directory away.
    pub(crate) async fn detach(&self, guest: DomId, index: u32) {
        let (front, back) = paths(guest, index);
        let asked = self.client.transaction(async |tree| {
            tree.write(&format!("{back}/online"), "0").await?;
            tree.write(&format!("{back}/state"), "5").await
        });
        asked.await.unwrap();
        self.until_gone(&back).await;
        self.client.remove(&front).await.unwrap();
    }

    /// Does what libxl does for a domain that was destroyed.
    pub(crate) async fn clean_up(&self, guest: DomId, index: u32) {
        let (front, back) = paths(guest, index);
        let asked = self.client.transaction(async |tree| {
            tree.write(&format!("{back}/online"), "0").await?;
            tree.write(&format!("{back}/state"), "5").await?;
            tree.remove(&front).await
        });
        asked.await.unwrap();
        self.until_gone(&back).await;
    }

    async fn until_gone(&self, path: &str) {
        let watch = self.client.watch(path).await.unwrap();
        while self.client.read(path).await.is_ok() {
            watch.next().await.unwrap();
        }
    }

    /// Serves all guests in one bridge until `point` is reached; `check` looks at it then.
    pub(crate) async fn serve(&self, point: &'static str, check: impl AsyncFnOnce(&Served)) {
        let bridge = Bridge::<Either<Netback<_>, PairDevice>>::new(
            self.handle.clone(),
            morgana_bridge::Config::default(),
        );
        let vifs = Served::new(Config::default());
        let bridge_for = {
            let bridge = bridge.clone();
            move |_: &_| Ok(bridge.clone())
        };
        let serve = vifs.serve(&self.platform, &self.client, &self.handle, bridge_for);
        let work = async {
            self.wait_for(point).await;
            check(&vifs).await;
        };
        match select(serve, work).await {
            Either::First(ended) => panic!("{ended:?}"),
            Either::Second(()) => {}
        }
        assert!(bridge.ports().is_empty() && bridge.addresses() == 0);
    }

    pub(crate) async fn front(&self, index: u32) -> Front {
        let (client, config) = (&self.client, Default::default());
        let device = Netfront::connect(&self.platform, client, &self.handle, index, config)
            .await
            .unwrap();
        Front {
            device,
            domain: self.clone(),
        }
    }

    /// What is in use, but for memory.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            heap_used_bytes: 0,
            heap_total_bytes: 0,
            ..self.platform.usage()
        }
    }
}

/// A guest's interface.
pub(crate) struct Front {
    pub(crate) device: Netfront<EmulPlatform>,
    domain: Domain,
}

impl Front {
    pub(crate) fn send(&mut self, to: MacAddr, from: MacAddr, byte: u8) {
        if let Some(slot) = self.device.transmit() {
            slot.send(60, |frame| {
                frame.fill(byte);
                frame[..6].copy_from_slice(&to.0);
                frame[6..12].copy_from_slice(&from.0);
                TxMeta::default()
            });
        }
        self.device.flush();
    }

    /// The sender and the last byte of the next frame, if it comes within a second.
    pub(crate) async fn next(&mut self) -> Option<(MacAddr, u8)> {
        let timers = self.domain.handle.timers();
        let end = timers.now() + Duration::from_secs(1);
        loop {
            if let Some(mut frame) = self.device.receive() {
                let bytes = frame.bytes();
                let from = MacAddr(bytes[6..12].try_into().unwrap());
                return Some((from, bytes[bytes.len() - 1]));
            }
            let ready = poll_fn(|cx| self.device.poll_ready(cx));
            if let Either::Second(()) = select(ready, timers.sleep_until(end)).await {
                return None;
            }
        }
    }

    /// Sends to `to` until an answer comes; what is lost is sent again.
    pub(crate) async fn ping(&mut self, to: MacAddr, byte: u8) {
        let from = self.device.mac();
        for _ in 0..100 {
            self.send(to, from, byte);
            if self.next().await == Some((to, byte)) {
                return;
            }
        }
        panic!("{to} does not answer {from}");
    }

    /// Answers all that comes, until `point` is reached.
    pub(crate) async fn answer(&mut self, point: &'static str) {
        let from = self.device.mac();
        loop {
            let domain = self.domain.clone();
            match select(self.next(), domain.wait_for(point)).await {
                Either::First(Some((to, byte))) => self.send(to, from, byte),
                Either::First(None) => {}
                Either::Second(()) => return,
            }
        }
    }
}

/// The address of a guest's interface.
pub(crate) fn mac(guest: DomId, index: u32) -> MacAddr {
    MacAddr([0, 0x16, 0x3e, 0, guest.number() as u8, index as u8])
}

pub(crate) fn paths(guest: DomId, index: u32) -> (String, String) {
    let (driver, guest) = (DRIVER.number(), guest.number());
    (
        format!("/local/domain/{guest}/device/vif/{index}"),
        format!("/local/domain/{driver}/backend/vif/{guest}/{index}"),
    )
}

/// A machine before it runs.
pub(crate) struct Machine {
    lockstep: Lockstep,
    meeting: Rc<Meeting>,
    xenstored: Rc<Xenstored>,
}

impl Machine {
    /// A machine with a toolstack.
    pub(crate) fn new(seed: u64, toolstack: impl AsyncFnOnce(Domain) + 'static) -> Self {
        let mut machine = Self {
            lockstep: Lockstep::new(seed),
            meeting: Rc::default(),
            xenstored: Xenstored::new(),
        };
        machine.add(async |own| {
            // As libxl does: the driver domain may read it.
            let home = format!("/local/domain/{}/backend", DRIVER.number());
            give(&own.client, &home, DomId::DOM0, DRIVER).await.unwrap();
            own.reach("home");
            toolstack(own).await;
        });
        machine
    }

    /// Adds the next domain.
    pub(crate) fn add(&mut self, main: impl AsyncFnOnce(Domain) + 'static) {
        let domain = self.lockstep.hypervisor().create(DomainConfig::default());
        let (meeting, xenstored) = (self.meeting.clone(), self.xenstored.clone());
        self.lockstep.start(domain.unwrap(), |platform, handle| {
            let domain = Domain::new(platform, handle, &xenstored, &meeting);
            async move {
                main(domain).await;
                Exit::Poweroff
            }
        });
    }

    /// Runs all to their ends, and checks that nothing is left over.
    pub(crate) fn run(mut self) {
        self.lockstep.run().unwrap();
        self.lockstep.hypervisor().assert_clean();
    }
}
