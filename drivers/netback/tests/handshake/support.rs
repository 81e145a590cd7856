//! A machine with a control domain, which is toolstack and back end, and one domain with a front end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use morgana_emul::{DomainConfig, EmulPlatform, Lockstep};
use morgana_exec::{Either, Handle, Notify, select};
use morgana_hal::{DomId, Exit};
use morgana_netback::{BackendAddress, Config, Netback, TxMeta};
use morgana_netfront::{ConnectError, Netfront};
use morgana_xenstore_client::{Access, Client, Error, Permission, Tree};

use crate::xenstored::Xenstored;

pub(crate) const FRONT: DomId = DomId::new(1);

pub(crate) const FRONT_PATH: &str = "/local/domain/1/device/vif/0";

/// What a domain of a test has.
#[derive(Clone)]
pub(crate) struct Domain {
    pub(crate) platform: EmulPlatform,
    pub(crate) client: Client,
    pub(crate) handle: Handle,
    meeting: Rc<Meeting>,
}

/// Steps that one domain has reached, for the other to wait for.
#[derive(Default)]
struct Meeting {
    reached: RefCell<Vec<&'static str>>,
    changed: Notify,
}

impl Domain {
    /// Tells the other domains that this point is reached.
    pub(crate) fn reach(&self, point: &'static str) {
        self.meeting.reached.borrow_mut().push(point);
        self.meeting.changed.notify();
    }

    /// Waits until some domain has reached this point.
    pub(crate) async fn wait_for(&self, point: &'static str) {
        loop {
            let seen = self.meeting.changed.count();
            if self.meeting.reached.borrow().contains(&point) {
                return;
            }
            self.meeting.changed.after(seen).await;
        }
    }

    /// Makes the device, as the toolstack does: front end in `FRONT`, back end in domain `back`. One that was there before is replaced.
    pub(crate) async fn attach(&self, back: DomId) {
        let made = self.client.transaction(async |tree| {
            let back_path = back_path(back);
            give(tree, "/local/domain/1/device/vif", DomId::DOM0, FRONT).await?;
            tree.remove(FRONT_PATH).await?;
            give(tree, &back_path, back, FRONT).await?;
            give(tree, FRONT_PATH, FRONT, back).await?;
            for (path, key, value) in [
                (&back_path[..], "frontend", FRONT_PATH.to_string()),
                (&back_path, "frontend-id", FRONT.number().to_string()),
                (&back_path, "online", "1".into()),
                (&back_path, "state", "1".into()),
                (FRONT_PATH, "mac", "00:16:3e:01:02:03".into()),
                (FRONT_PATH, "state", "1".into()),
                (FRONT_PATH, "backend-id", back.number().to_string()),
                (FRONT_PATH, "backend", back_path.clone()),
            ] {
                tree.write(&format!("{path}/{key}"), value).await?;
            }
            Ok::<_, Error>(())
        });
        made.await.unwrap();
    }

    /// The states of front and back end, as digits.
    pub(crate) async fn states(&self, back: DomId) -> String {
        let front = format!("{FRONT_PATH}/state");
        let back = format!("{}/state", back_path(back));
        let front = self.client.read_text(&front).await.unwrap();
        front + &self.client.read_text(&back).await.unwrap()
    }

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

    /// Waits for a time that is long for everybody.
    pub(crate) async fn pause(&self) {
        self.handle.timers().sleep(Duration::from_secs(300)).await;
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

/// Makes a node that belongs to one domain, and another may read.
async fn give(tree: &Tree, path: &str, owner: DomId, reader: DomId) -> Result<(), Error> {
    tree.make(path).await?;
    let permission = |domain, access| Permission { domain, access };
    let permissions = [
        permission(owner, Access::None),
        permission(reader, Access::Read),
    ];
    tree.set_permissions(path, &permissions).await
}

pub(crate) fn back_path(back: DomId) -> String {
    format!("/local/domain/{}/backend/vif/1/0", back.number())
}

/// Runs domains 0, 1 and 2 to their ends, and checks that nothing is left over.
pub(crate) fn run(
    seed: u64,
    control: impl AsyncFnOnce(Domain) + 'static,
    front: impl AsyncFnOnce(Domain) + 'static,
    driver: impl AsyncFnOnce(Domain) + 'static,
) {
    let mut machine = Lockstep::new(seed);
    let create = || {
        let created = machine.hypervisor().create(DomainConfig::default());
        created.unwrap()
    };
    let domains = [create(), create(), create()];
    let meeting = Rc::new(Meeting::default());
    let xenstored = Xenstored::new();
    let make = |platform: EmulPlatform, handle: Handle| Domain {
        client: xenstored.client(platform.id(), &handle),
        platform,
        handle,
        meeting: meeting.clone(),
    };
    let [zero, one, two] = domains;
    macro_rules! start {
        ($domain:expr, $main:expr) => {
            machine.start($domain, |platform, handle| {
                let domain = make(platform, handle);
                async move {
                    $main(domain).await;
                    Exit::Poweroff
                }
            });
        };
    }
    start!(zero, control);
    start!(one, front);
    start!(two, driver);
    machine.run().unwrap();
    machine.hypervisor().assert_clean();
}
