//! What a toolstack does for a domain: its keys in xenstore, laid out as libxl does it (docs/misc/xenstore-paths.pandoc).

use morgana_hal::DomId;
use morgana_xenstore_client::{Access, Client, Error, Permission, Tree};

use crate::Disk;

/// Ethernet addresses that Xen's guests have (00:16:3e is the Xen project's).
const MAC: &str = "00:16:3e:00:00:01";

/// A domain to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) id: DomId,
    pub(crate) name: String,
    pub(crate) memory_mib: u32,
    pub(crate) disks: Vec<Disk>,
}

impl Guest {
    fn home(&self) -> String {
        format!("/local/domain/{}", self.id.number())
    }

    /// Writes all keys of the domain, of its network interface and of its disks, whose back ends are in domain 0.
    pub(crate) async fn write(&self, client: &Client) -> Result<(), Error> {
        client
            .transaction(async |tree| {
                self.write_home(tree).await?;
                self.write_vif(tree).await?;
                for disk in &self.disks {
                    self.write_vbd(tree, disk).await?;
                }
                Ok(())
            })
            .await
    }

    async fn write_home(&self, tree: &Tree) -> Result<(), Error> {
        let home = self.home();
        let owned_by_0 = [
            entry(DomId::DOM0, Access::None),
            entry(self.id, Access::Read),
        ];
        let owned_by_it = [entry(self.id, Access::None)];
        tree.make(&home).await?;
        tree.set_permissions(&home, &owned_by_0).await?;
        for (key, value) in [
            ("name", self.name.clone()),
            ("domid", self.id.number().to_string()),
            // In KiB.
            (
                "memory/target",
                (u64::from(self.memory_mib) * 1024).to_string(),
            ),
        ] {
            tree.write(&format!("{home}/{key}"), value).await?;
        }
        // Where it answers the toolstack, and what is its own affair.
        for key in [
            "control/shutdown",
            "control/feature-poweroff",
            "control/feature-reboot",
            "control/feature-halt",
            "data",
        ] {
            let path = format!("{home}/{key}");
            tree.make(&path).await?;
            tree.set_permissions(&path, &owned_by_it).await?;
        }
        Ok(())
    }

    async fn write_vif(&self, tree: &Tree) -> Result<(), Error> {
        let (front, back) = self.make_device(tree, "vif", 0).await?;
        for (directory, key, value) in [
            (&front, "handle", "0"),
            (&front, "mac", MAC),
            (&back, "handle", "0"),
            (&back, "mac", MAC),
        ] {
            tree.write(&format!("{directory}/{key}"), value).await?;
        }
        Ok(())
    }

    async fn write_vbd(&self, tree: &Tree, disk: &Disk) -> Result<(), Error> {
        let index = disk.vdev.number();
        let (front, back) = self.make_device(tree, "vbd", index).await?;
        let number = index.to_string();
        let file = disk.file.display().to_string();
        for (directory, key, value) in [
            (&front, "virtual-device", number.as_str()),
            (&front, "device-type", "disk"),
            (&back, "params", &file),
            (&back, "mode", "w"),
        ] {
            tree.write(&format!("{directory}/{key}"), value).await?;
        }
        Ok(())
    }

    /// Makes the two directories of a device, with what each device has.
    async fn make_device(
        &self,
        tree: &Tree,
        class: &str,
        index: u32,
    ) -> Result<(String, String), Error> {
        let front = format!("{}/device/{class}/{index}", self.home());
        let back = format!(
            "/local/domain/0/backend/{class}/{}/{index}",
            self.id.number()
        );
        let front_permissions = [
            entry(self.id, Access::None),
            entry(DomId::DOM0, Access::Read),
        ];
        let back_permissions = [
            entry(DomId::DOM0, Access::None),
            entry(self.id, Access::Read),
        ];
        for (directory, permissions) in [(&front, front_permissions), (&back, back_permissions)] {
            tree.make(directory).await?;
            tree.set_permissions(directory, &permissions).await?;
        }
        let id = self.id.number().to_string();
        // Both ends begin as XenbusStateInitialising.
        for (directory, key, value) in [
            (&front, "backend", back.as_str()),
            (&front, "backend-id", "0"),
            (&front, "state", "1"),
            (&back, "frontend", front.as_str()),
            (&back, "frontend-id", &id),
            (&back, "online", "1"),
            (&back, "state", "1"),
        ] {
            tree.write(&format!("{directory}/{key}"), value).await?;
        }
        Ok((front, back))
    }

    /// Asks the domain to power off.
    pub(crate) async fn ask_to_power_off(&self, client: &Client) -> Result<(), Error> {
        let path = format!("{}/control/shutdown", self.home());
        client.write(&path, "poweroff").await
    }
}

fn entry(domain: DomId, access: Access) -> Permission {
    Permission { domain, access }
}
