//! The domains of this machine.

mod ahead;
mod disks;
mod making;
mod names;
mod unfinished;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use morgana_exec::Timers;
use morgana_hal::{Activity, DomId, DomainInfo, Toolstack};
use morgana_xenstore_client::Client;

use crate::error::HostError;
use crate::nodes;
use crate::outlets::Outlets;
use crate::uuid::Uuid;
pub use names::Names;

/// How long a domain may be dying: xenstored and xenconsoled let go when they are told that it is.
const DYING: Duration = Duration::from_secs(10);
/// How long to wait first before looking whether it is gone, and at most.
const LOOK: Duration = Duration::from_millis(1);
const LOOK_SELDOM: Duration = Duration::from_millis(100);

/// Who makes and ends domains.
#[derive(Debug)]
pub struct Host<T, O> {
    /// The way to Xen.
    pub toolstack: T,
    /// What devices are plugged into.
    pub outlets: O,
    /// The way to xenstored.
    pub client: Client,
    /// The executor's timers.
    pub timers: Timers,
    /// What is known of the domains' names; nothing at first.
    pub names: Names,
}

/// A domain, and what it is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name; empty if it has none.
    pub name: String,
    /// How it is.
    pub info: DomainInfo,
}

/// How a domain came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It has shut down, for this reason (sched.h, `SHUTDOWN_*`), and is there still.
    ShutDown(u8),
    /// Somebody has ended it.
    Gone,
}

impl<T: Toolstack, O: Outlets> Host<T, O> {
    /// All domains, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn list(&self) -> Result<Vec<Listed>, HostError> {
        let infos = self.toolstack.list()?;
        let names = self.names.of(&self.client, &infos).await;
        let listed = infos.into_iter().zip(names);
        Ok(listed.map(|(info, name)| Listed { name, info }).collect())
    }

    /// Asks a domain to shut down: `poweroff`, `reboot`.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn shut_down(&self, domain: DomId, how: &str) -> Result<(), HostError> {
        self.other(domain)?;
        let path = format!("{}/control/shutdown", nodes::home(domain));
        Ok(self.client.write(&path, how).await?)
    }

    /// Stops a domain.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub fn pause(&self, domain: DomId) -> Result<(), HostError> {
        self.other(domain)?;
        Ok(self.toolstack.pause(domain)?)
    }

    /// Lets a domain run again.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub fn unpause(&self, domain: DomId) -> Result<(), HostError> {
        self.other(domain)?;
        Ok(self.toolstack.unpause(domain)?)
    }

    /// Ends a domain, and returns when nothing is left of it.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn destroy(&self, domain: DomId) -> Result<(), HostError> {
        let uuid = self.end(domain).await?;
        self.gone(domain, uuid).await?;
        // xenconsoled may have told of its terminal meanwhile.
        match self.client.remove(&nodes::home(domain)).await {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Ends a domain, of which something may be left for a while. Its UUID is told.
    async fn end(&self, domain: DomId) -> Result<Uuid, HostError> {
        let info = self.other(domain)?;
        self.toolstack.destroy(domain)?;
        let uuid = Uuid::from_bytes(info.handle);
        nodes::remove(&self.client, domain, uuid).await?;
        self.names.forget(domain);
        Ok(uuid)
    }

    /// Returns when nothing is left of a domain that somebody ends: whose back ends have pages of it no more, either, so none of its requests is under way.
    ///
    /// # Errors
    ///
    /// [`HostError::StillDying`] after 10 s, and others.
    pub async fn gone(&self, domain: DomId, uuid: Uuid) -> Result<(), HostError> {
        let gone = async {
            let mut pause = LOOK;
            let is_it = |info: DomainInfo| info.handle == uuid.bytes();
            while self.toolstack.info(domain)?.is_some_and(is_it) {
                self.timers.sleep(pause).await;
                pause = (pause * 2).min(LOOK_SELDOM);
            }
            Ok(())
        };
        let gone = self.timers.timeout(DYING, gone).await;
        gone.unwrap_or(Err(HostError::StillDying))
    }

    /// Returns when a domain has shut down or is ended.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn ended(&self, domain: DomId) -> Result<Ended, HostError> {
        let changes = self.client.watch("@releaseDomain").await?;
        loop {
            match self.toolstack.info(domain)?.map(|info| info.activity) {
                None | Some(Activity::Dying) => return Ok(Ended::Gone),
                Some(Activity::ShutDown(reason)) => return Ok(Ended::ShutDown(reason)),
                Some(_) => {}
            }
            changes.next().await?;
        }
    }

    /// The domain of this number or name.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn find(&self, called: &str) -> Result<DomId, HostError> {
        if let Ok(number) = called.parse() {
            let domain = DomId::new(number);
            let found = self.toolstack.info(domain)?;
            return found.map(|_| domain).ok_or(HostError::NoSuchDomain);
        }
        self.called(called).await?.ok_or(HostError::NoSuchDomain)
    }

    async fn called(&self, name: &str) -> Result<Option<DomId>, HostError> {
        let listed = self.list().await?;
        let found = listed.iter().find(|listed| listed.name == name);
        Ok(found.map(|listed| listed.info.domain))
    }

    /// How a domain is, if it is there.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub fn info(&self, domain: DomId) -> Result<Option<DomainInfo>, HostError> {
        Ok(self.toolstack.info(domain)?)
    }

    /// A domain that is there and is not this one.
    fn other(&self, domain: DomId) -> Result<DomainInfo, HostError> {
        if domain == DomId::DOM0 {
            return Err(HostError::Dom0);
        }
        self.toolstack.info(domain)?.ok_or(HostError::NoSuchDomain)
    }
}
