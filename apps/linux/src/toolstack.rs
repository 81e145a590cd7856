//! What a toolstack does for a domain: its keys in xenstore, laid out as libxl does it (docs/misc/xenstore-paths.pandoc).

use morgana_hal::DomId;
use morgana_xenstore_client::{Access, Client, Error, Permission, Tree};

/// Ethernet addresses that Xen's guests have (00:16:3e is the Xen project's).
const MAC: &str = "00:16:3e:00:00:01";

/// A domain to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) id: DomId,
    pub(crate) name: String,
    pub(crate) memory_mib: u32,
}

impl Guest {
    fn home(&self) -> String {
        format!("/local/domain/{}", self.id.number())
    }

    /// Writes all keys of the domain and of its network interface, whose back end is in domain 0.
    pub(crate) async fn write(&self, client: &Client) -> Result<(), Error> {
        client
            .transaction(async |tree| {
                self.write_home(tree).await?;
                self.write_vif(tree).await
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
        let front = format!("{}/device/vif/0", self.home());
        let back = format!("/local/domain/0/backend/vif/{}/0", self.id.number());
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
            (&front, "handle", "0"),
            (&front, "mac", MAC),
            (&front, "state", "1"),
            (&back, "frontend", front.as_str()),
            (&back, "frontend-id", &id),
            (&back, "handle", "0"),
            (&back, "mac", MAC),
            (&back, "online", "1"),
            (&back, "state", "1"),
        ] {
            tree.write(&format!("{directory}/{key}"), value).await?;
        }
        Ok(())
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
