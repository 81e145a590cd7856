//! Domain 0: xenstored, and a toolstack that obeys the test.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use morgana_blkfront::Vdev;
use morgana_emul::{EmulPlatform, XenstoreRing};
use morgana_exec::Receiver;
use morgana_hal::{DomId, Port};
use morgana_net_device::MacAddr;
use morgana_xenstore_client::{Access, Client, Error, Permission, Tree};
use morgana_xenstored::{Quota, Rights, Server};

use crate::Inside;

/// A kind of device. Each guest has at most one of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The network device 0.
    Vif,
    /// The disk `xvda`.
    Vbd,
}

impl Kind {
    /// The device's number.
    pub(crate) fn index(self) -> u32 {
        match self {
            Self::Vif => 0,
            Self::Vbd => Vdev::XVDA.number(),
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Vif => "vif",
            Self::Vbd => "vbd",
        }
    }

    fn front_parent(self, front: DomId) -> String {
        format!("{}/device/{}", home(front), self.class())
    }

    fn front_path(self, front: DomId) -> String {
        format!("{}/{}", self.front_parent(front), self.index())
    }

    fn back_parent(self, front: DomId, back: DomId) -> String {
        format!("{}/backend/{}/{}", home(back), self.class(), front.number())
    }

    fn back_path(self, front: DomId, back: DomId) -> String {
        format!("{}/{}", self.back_parent(front, back), self.index())
    }
}

/// What a test tells domain 0 to do.
pub(crate) type Order = Box<dyn FnOnce(Rc<Control>) -> Pin<Box<dyn Future<Output = ()>>>>;

/// The toolstack.
pub struct Control {
    client: Client,
    server: Server<EmulPlatform>,
}

/// Domain 0's main task.
pub(crate) async fn control(
    inside: Inside,
    ring: XenstoreRing,
    orders: Receiver<Order>,
    obeyed: Rc<Cell<u64>>,
) {
    let server = Server::new(inside.platform.clone(), &inside.handle, Quota::default());
    let served = server.introduce(DomId::DOM0, ring.port(), Rights::Control);
    served.expect("domain 0 can serve itself");
    let client = inside.xenstore();
    let control = Rc::new(Control { client, server });
    while let Some(order) = orders.receive().await {
        order(control.clone()).await;
        obeyed.set(obeyed.get() + 1);
    }
}

impl Control {
    /// Writes a new domain down, and lets xenstored serve it.
    pub(crate) async fn introduce(&self, domain: DomId, port: Port) {
        let home = home(domain);
        self.client.make(&home).await.expect("domain 0 may write");
        let readable = [
            permission(DomId::DOM0, Access::None),
            permission(domain, Access::Read),
        ];
        let set = self.client.set_permissions(&home, &readable).await;
        set.expect("domain 0 may write");
        let introduced = self.server.introduce(domain, port, Rights::Guest);
        introduced.expect("a new domain has a ring");
    }

    /// Forgets a dead domain: xenstored lets go of it, and its keys go.
    pub(crate) async fn bury(&self, domain: DomId) {
        self.server.release(domain);
        self.client
            .remove(&home(domain))
            .await
            .expect("domain 0 may write");
    }

    /// Makes a device of `front`, with its back end in `back`. A front end that was there before is moved to it.
    pub async fn attach(&self, kind: Kind, front: DomId, back: DomId) {
        let made = self.client.transaction(async |tree| {
            let (front_path, back_path) = (kind.front_path(front), kind.back_path(front, back));
            give(tree, &kind.front_parent(front), DomId::DOM0, front).await?;
            tree.remove(&front_path).await?;
            give(tree, &back_path, back, front).await?;
            give(tree, &front_path, front, back).await?;
            // A disk has no use for it.
            let mac = mac(front).to_string();
            for (path, key, value) in [
                (&back_path, "frontend", front_path.clone()),
                (&back_path, "frontend-id", front.number().to_string()),
                (&back_path, "online", "1".to_owned()),
                (&back_path, "state", "1".to_owned()),
                (&front_path, "mac", mac.clone()),
                (&front_path, "state", "1".to_owned()),
                (&front_path, "backend-id", back.number().to_string()),
                (&front_path, "backend", back_path.clone()),
            ] {
                tree.write(&format!("{path}/{key}"), value).await?;
            }
            if kind == Kind::Vif {
                // A switch lets it send from that address only.
                tree.write(&format!("{back_path}/mac"), mac).await?;
            }
            Ok::<_, Error>(())
        });
        made.await.expect("domain 0 may write");
    }

    /// Takes the back end of a device away: its front end's domain is dead.
    pub async fn detach(&self, kind: Kind, front: DomId, back: DomId) {
        let removed = self.client.remove(&kind.back_parent(front, back)).await;
        removed.expect("domain 0 may write");
    }

    /// Asks the back end to give a device up, as libxl does, and waits until it has taken its directory away.
    pub async fn ask_back(&self, kind: Kind, front: DomId, back: DomId) {
        let path = kind.back_path(front, back);
        let asked = self.client.transaction(async |tree| {
            tree.write(&format!("{path}/online"), "0").await?;
            tree.write(&format!("{path}/state"), "5").await
        });
        asked.await.expect("domain 0 may write");
        let watch = self.client.watch(&path).await;
        let watch = watch.expect("domain 0 has few watches");
        while self.client.read(&path).await.is_ok() {
            watch.next().await.expect("xenstored is in this domain");
        }
        self.detach(kind, front, back).await;
        let removed = self.client.remove(&kind.front_path(front)).await;
        // A dead domain's keys have gone already.
        if let Err(error) = removed {
            assert!(error.is_not_found(), "domain 0 may write");
        }
    }

    /// How many domains have keys.
    pub async fn domains(&self) -> usize {
        let children = self.client.children("/local/domain").await;
        children.expect("there is at least one").len()
    }
}

/// Makes a node that belongs to one domain, and another may read.
async fn give(tree: &Tree, path: &str, owner: DomId, reader: DomId) -> Result<(), Error> {
    tree.make(path).await?;
    let permissions = [
        permission(owner, Access::None),
        permission(reader, Access::Read),
    ];
    tree.set_permissions(path, &permissions).await
}

fn permission(domain: DomId, access: Access) -> Permission {
    Permission { domain, access }
}

/// The address of a domain's network device.
pub(crate) fn mac(domain: DomId) -> MacAddr {
    let [.., high, low] = domain.number().to_be_bytes();
    MacAddr([0x00, 0x16, 0x3e, 0x00, high, low])
}

fn home(domain: DomId) -> String {
    format!("/local/domain/{}", domain.number())
}
