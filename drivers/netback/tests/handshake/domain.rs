//! What a domain of a test has, and how domains wait for each other.

use std::cell::RefCell;
use std::rc::Rc;

use morgana_emul::EmulPlatform;
use morgana_exec::{Handle, Notify};
use morgana_hal::DomId;
use morgana_xenstore_client::{Access, Client, Error, Permission, Tree};

use crate::xenstored::Xenstored;

/// What a domain of a test has.
#[derive(Clone)]
pub(crate) struct Domain {
    pub(crate) platform: EmulPlatform,
    pub(crate) client: Client,
    pub(crate) handle: Handle,
    meeting: Rc<Meeting>,
}

/// Points that domains have reached, for others to wait for.
#[derive(Default)]
pub(crate) struct Meeting {
    reached: RefCell<Vec<&'static str>>,
    changed: Notify,
}

impl Domain {
    pub(crate) fn new(
        platform: EmulPlatform,
        handle: Handle,
        xenstored: &Rc<Xenstored>,
        meeting: &Rc<Meeting>,
    ) -> Self {
        Self {
            client: xenstored.client(platform.id(), &handle),
            platform,
            handle,
            meeting: meeting.clone(),
        }
    }

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
}

/// Makes a node that belongs to one domain, and another may read.
pub(crate) async fn give(
    tree: &Tree,
    path: &str,
    owner: DomId,
    reader: DomId,
) -> Result<(), Error> {
    tree.make(path).await?;
    let permission = |domain, access| Permission { domain, access };
    let permissions = [
        permission(owner, Access::None),
        permission(reader, Access::Read),
    ];
    tree.set_permissions(path, &permissions).await
}
