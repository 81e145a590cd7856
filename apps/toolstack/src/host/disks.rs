//! Who has a disk: two domains that write the same one spoil it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::{DomId, Toolstack};
use morgana_xenstore_client::{number_or, text};

use super::{Host, LOOK, LOOK_SELDOM};
use crate::config::{Config, Disk, DiskAccess};
use crate::error::HostError;
use crate::nodes;
use crate::outlets::Outlets;

/// `XenbusStateClosed` (io/xenbus.h): the back end has no request any more, and uses nothing of its front end's.
const CLOSED: u32 = 6;
/// How long to wait for a domain's end to reach its disks.
const LEAVING: core::time::Duration = core::time::Duration::from_secs(10);

/// A disk as its back end's domain knows it.
struct Wanted {
    backend: DomId,
    target: String,
    device: Option<String>,
}

impl<T: Toolstack, O: Outlets> Host<T, O> {
    /// Returns when no other domain has a disk that a domain of this configuration could write: when the back ends of those that had it are done with it. A domain that is to be made of it can
    /// start then.
    ///
    /// # Errors
    ///
    /// [`HostError::DiskInUse`] if somebody has one for 10 s, and others.
    pub async fn disks_are_free(&self, config: &Config) -> Result<(), HostError> {
        let mut wanted = Vec::new();
        for disk in config
            .disks
            .iter()
            .filter(|disk| disk.access == DiskAccess::ReadWrite)
        {
            wanted.push(self.wanted(disk).await?);
        }
        let deadline = self.timers.now() + LEAVING;
        let mut pause = LOOK;
        for disk in &wanted {
            while let Some(domain) = self.user(disk).await? {
                if self.timers.now() >= deadline {
                    return Err(HostError::DiskInUse(domain));
                }
                self.timers.sleep(pause).await;
                pause = (pause * 2).min(LOOK_SELDOM);
            }
        }
        Ok(())
    }

    async fn wanted(&self, disk: &Disk) -> Result<Wanted, HostError> {
        let backend = self.back_end_domain(disk.backend.as_deref()).await?;
        let device = match backend {
            DomId::DOM0 => self.outlets.block_device(&disk.target).ok(),
            _ => None,
        };
        Ok(Wanted {
            backend,
            target: disk.target.clone(),
            device: device.map(|device| device.key()),
        })
    }

    /// A domain whose back end has the disk, or whose end has not reached it.
    async fn user(&self, disk: &Wanted) -> Result<Option<DomId>, HostError> {
        let root = format!("{}/backend/vbd", nodes::home(disk.backend));
        for number in self.listed(&root).await? {
            let Ok(domain) = number.parse().map(DomId::new) else {
                continue;
            };
            for device in self.listed(&format!("{root}/{number}")).await? {
                let back = format!("{root}/{number}/{device}");
                if self.uses(&back, disk, domain).await? {
                    return Ok(Some(domain));
                }
            }
        }
        Ok(None)
    }

    async fn uses(&self, back: &str, disk: &Wanted, domain: DomId) -> Result<bool, HostError> {
        let paths = ["params", "physical-device", "state"].map(|key| format!("{back}/{key}"));
        let mut values = self.client.read_each(&paths).await.into_iter().zip(&paths);
        let mut next = || values.next().map(|(value, path)| text(path, value));
        let (target, device) = (next(), next());
        let is_same = matches!(target, Some(Ok(target)) if target == disk.target)
            || matches!((device, &disk.device), (Some(Ok(device)), Some(own)) if device == *own);
        if !is_same {
            return Ok(false);
        }
        // A node that has gone meanwhile is that of a back end that is done.
        let state = values
            .next()
            .and_then(|(value, path)| number_or(path, value, CLOSED).ok());
        let is_closed = state == Some(CLOSED);
        Ok(!is_closed || self.toolstack.info(domain)?.is_some())
    }

    async fn listed(&self, path: &str) -> Result<Vec<String>, HostError> {
        match self.client.children(path).await {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            listed => Ok(listed?),
        }
    }
}
