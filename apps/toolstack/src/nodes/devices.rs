//! Nodes of a device: what the front end, the back end and Xen's tools are told (docs/misc/xenstore-paths.pandoc of Xen).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_client::Access;

use super::{Change, entry, home, libxl};
use crate::config::{Disk, DiskAccess, Vif};
use crate::outlets::{BlockDevice, DiskId, VifId};
use crate::uuid::Uuid;

/// `XenbusStateInitialising` (io/xenbus.h): both ends begin so.
const INITIALISING: &str = "1";

/// A script that does nothing. Linux's netback wants to be told of one, and so does libxl when it ends a device; nobody runs it here.
const SCRIPT: &str = "/bin/true";

/// A device to be.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// `vif` or `vbd`.
    kind: &'static str,
    number: u32,
    /// The domain of its back end.
    pub(crate) backend: DomId,
    front: Vec<(&'static str, String)>,
    back: Vec<(&'static str, String)>,
    /// The bridge that it is put into.
    pub(crate) bridge: Option<String>,
}

impl Device {
    /// The network interface of this number.
    pub(crate) fn vif(vif: &Vif, number: u32, backend: DomId, uuid: Uuid) -> Self {
        let mac = vif.mac.unwrap_or_else(|| address(uuid, number));
        let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
        let bridge = vif.bridge.clone().unwrap_or_else(|| "xenbr0".to_string());
        Self {
            kind: "vif",
            number,
            backend,
            front: [("handle", number.to_string()), ("mac", mac.clone())].into(),
            back: [
                ("handle", number.to_string()),
                ("mac", mac),
                ("type", "vif".to_string()),
                ("bridge", bridge.clone()),
                ("hotplug-status", String::new()),
            ]
            .into(),
            bridge: Some(bridge),
        }
    }

    /// A disk; `block` is which device of its back end's Linux it is, if that is known.
    pub(crate) fn disk(disk: &Disk, backend: DomId, block: Option<BlockDevice>) -> Self {
        let mode = match disk.access {
            DiskAccess::ReadOnly => "r",
            DiskAccess::ReadWrite => "w",
        };
        let mut back = Vec::from([
            ("removable", "0".to_string()),
            ("bootable", "1".to_string()),
            ("dev", disk.device.clone()),
            ("type", "phy".to_string()),
            ("mode", mode.to_string()),
            ("device-type", "disk".to_string()),
            ("discard-enable", "1".to_string()),
            ("params", disk.target.clone()),
        ]);
        if let Some(block) = block {
            back.push(("physical-device", block.key()));
            back.push(("hotplug-status", "connected".to_string()));
        }
        Self {
            kind: "vbd",
            number: disk.number,
            backend,
            front: [
                ("virtual-device", disk.number.to_string()),
                ("device-type", "disk".to_string()),
            ]
            .into(),
            back,
            bridge: None,
        }
    }

    /// Where its back end's nodes are.
    pub(crate) fn back_path(&self, domain: DomId) -> String {
        let (kind, number) = (self.kind, self.number);
        let backend = home(self.backend);
        format!("{backend}/backend/{kind}/{}/{number}", domain.number())
    }

    /// Which device of all of its kind it is.
    pub(crate) fn id(&self, domain: DomId) -> VifId {
        let number = self.number;
        VifId { domain, number }
    }

    /// Which disk it is, if it is one and dom0 has its back end.
    pub(crate) fn disk_id(&self, domain: DomId) -> Option<DiskId> {
        let number = self.number;
        let is_one = self.kind == "vbd" && self.backend == DomId::DOM0;
        is_one.then_some(DiskId { domain, number })
    }

    pub(super) fn write(&self, domain: DomId, changes: &mut Vec<Change>) {
        let (kind, number) = (self.kind, self.number);
        let front = format!("{}/device/{kind}/{number}", home(domain));
        let copy = format!("{}/device/{kind}/{number}", libxl(domain));
        let back = self.back_path(domain);
        for (path, owner, other) in [
            (&front, domain, self.backend),
            (&back, self.backend, domain),
        ] {
            changes.push(Change::Make(path.clone()));
            let permissions = [entry(owner, Access::None), entry(other, Access::Read)];
            changes.push(Change::Permit(path.clone(), permissions.to_vec()));
        }
        let mut put = |directory: &str, pairs: &[(&str, String)]| {
            for (key, value) in pairs {
                changes.push(Change::Write(format!("{directory}/{key}"), value.clone()));
            }
        };
        let state = || ("state", INITIALISING.to_string());
        let backend_id = self.backend.number().to_string();
        let front_too = [
            ("backend", back.clone()),
            ("backend-id", backend_id),
            state(),
        ];
        let back_too = [
            ("frontend", front.clone()),
            ("frontend-id", domain.number().to_string()),
            ("online", "1".to_string()),
            ("script", SCRIPT.to_string()),
            state(),
        ];
        put(&front, &self.front);
        put(&front, &front_too);
        for directory in [&back, &copy] {
            put(directory, &self.back);
            put(directory, &back_too);
        }
        put(&copy, &[("backend", back.clone())]);
    }
}

/// One of the addresses that Xen's guests have (00:16:3e is the Xen project's), made of the domain's UUID.
fn address(uuid: Uuid, number: u32) -> [u8; 6] {
    let [.., first, second, third] = uuid.bytes();
    // Domains have at most 16 interfaces.
    [0, 0x16, 0x3e, first & 0x7f, second, third ^ number as u8]
}
