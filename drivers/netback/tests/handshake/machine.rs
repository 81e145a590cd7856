//! A machine with a control domain, which is toolstack and back end, and two more. What kind of device is tested, `support` says.

use std::rc::Rc;
use std::time::Duration;

use morgana_emul::{DomainConfig, Lockstep};
use morgana_hal::{DomId, Exit};
use morgana_xenstore_client::Error;

use crate::domain::{Domain, Meeting, give};
use crate::support::{DEVICE, FRONT_PATH, OWN_KEY};
use crate::xenstored::Xenstored;

pub(crate) const FRONT: DomId = DomId::new(1);

impl Domain {
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
    let make = |platform, handle| Domain::new(platform, handle, &xenstored, &meeting);
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
