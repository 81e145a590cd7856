//! A machine with a control domain, which is toolstack and back end, and two more. What kind of device is tested, `support` says.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use morgana_emul::{DomainConfig, EmulPlatform, Lockstep};
use morgana_exec::{Handle, Notify};
use morgana_hal::{DomId, Exit};
use morgana_xenstore_client::{Access, Client, Error, Permission, Tree};

use crate::support::{DEVICE, FRONT_PATH, OWN_KEY};
use crate::xenstored::Xenstored;

pub(crate) const FRONT: DomId = DomId::new(1);

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

    /// Whether some domain has reached this point.
    pub(crate) fn has_reached(&self, point: &'static str) -> bool {
        self.meeting.reached.borrow().contains(&point)
    }

    /// Waits until some domain has reached this point.
    pub(crate) async fn wait_for(&self, point: &'static str) {
        loop {
            let seen = self.meeting.changed.count();
            if self.has_reached(point) {
                return;
            }
            self.meeting.changed.after(seen).await;
        }
    }

    /// Makes the device, as the toolstack does: front end in `FRONT`, back end in domain `back`. One that was there before is replaced.
    pub(crate) async fn attach(&self, back: DomId) {
        let made = self.client.transaction(async |tree| {
            let back_path = back_path(back);
            let parent = format!("/local/domain/1/device/{}", DEVICE.0);
            give(tree, &parent, DomId::DOM0, FRONT).await?;
            tree.remove(FRONT_PATH).await?;
            give(tree, &back_path, back, FRONT).await?;
            give(tree, FRONT_PATH, FRONT, back).await?;
            for (path, key, value) in [
                (&back_path[..], "frontend", FRONT_PATH.to_string()),
                (&back_path, "frontend-id", FRONT.number().to_string()),
                (&back_path, "online", "1".into()),
                (&back_path, "state", "1".into()),
                (FRONT_PATH, OWN_KEY.0, OWN_KEY.1.into()),
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

    /// Waits for a time that is long for everybody.
    pub(crate) async fn pause(&self) {
        self.handle.timers().sleep(Duration::from_secs(300)).await;
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
    let (class, index) = DEVICE;
    format!("/local/domain/{}/backend/{class}/1/{index}", back.number())
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
