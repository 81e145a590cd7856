//! What the keepers of services do to this machine's domains.

use morgana_hal::{Activity, DomId};
use morgana_toolstack::{DiskAccess, Ended, HostError, Uuid};

use super::keeper::{Disks, Former, Keeping};
use super::problem::Problem;
use super::service::Service;
use super::services::One;
use super::state::{Last, Order};

impl Service {
    /// Whether it is this one still that has its number.
    fn is_there(&self, which: Last) -> Result<bool, Problem> {
        let info = self.host.info(DomId::new(which.domain))?;
        Ok(info.is_some_and(|info| info.handle == which.uuid))
    }

    /// Ends it, unless nothing is left of it.
    async fn destroy_this(&self, which: Last) -> Result<(), Problem> {
        if !self.is_there(which)? {
            return Ok(());
        }
        match self.host.destroy(DomId::new(which.domain)).await {
            Err(HostError::NoSuchDomain) => Ok(()),
            ended => Ok(ended?),
        }
    }
}

impl Keeping for Service {
    async fn clear(&self, name: &str) -> Result<(), Problem> {
        let listed = self.host.list().await?;
        let never_ran = listed.iter().find(|listed| {
            let info = &listed.info;
            listed.name == name && info.activity == Activity::Paused && info.cpu_time_ns == 0
        });
        if let Some(listed) = never_ran {
            self.host.destroy(listed.info.domain).await?;
        }
        Ok(())
    }

    async fn there(&self, name: &str) -> Result<Option<DomId>, Problem> {
        let mut there = None;
        for listed in self.host.list().await? {
            let info = &listed.info;
            match info.activity {
                _ if listed.name != name => {}
                // It was ended while nobody looked.
                Activity::Dying => self.host.unname(&self.owner, info).await?,
                _ => there = Some(info.domain),
            }
        }
        Ok(there)
    }

    fn which(&self, domain: DomId) -> Option<Last> {
        let info = self.host.info(domain).ok()??;
        Some(Last {
            domain: domain.number(),
            uuid: info.handle,
        })
    }

    fn disks(&self, order: &Order) -> Result<Disks, Problem> {
        let recipe = self.recipes.get(&order.config)?;
        let mut disks = recipe.config.disks.iter();
        Ok(
            match disks.any(|disk| disk.access == DiskAccess::ReadWrite) {
                true => Disks::Written,
                false => Disks::NotWritten,
            },
        )
    }

    async fn disks_are_free(&self, order: &Order, last: Option<Last>) -> Result<(), Problem> {
        if let Some(Last { domain, uuid }) = last {
            let (domain, uuid) = (DomId::new(domain), Uuid::from_bytes(uuid));
            self.host.gone(domain, uuid).await?;
        }
        let (_, config) = self.wanted(&order.config, Some(&order.name), &order.extra)?;
        Ok(self.host.disks_are_free(&config).await?)
    }

    async fn start(&self, order: &Order) -> Result<DomId, Problem> {
        let (recipe, config) = self.wanted(&order.config, Some(&order.name), &order.extra)?;
        self.kept.let_begin(self.host.timers.now());
        self.make(&recipe, &config).await
    }

    async fn ended(&self, domain: DomId) -> Result<Ended, Problem> {
        Ok(self.host.ended(domain).await?)
    }

    async fn unname(&self, which: Last) -> Result<(), Problem> {
        let info = self.host.info(DomId::new(which.domain))?;
        match info {
            Some(info) if info.handle == which.uuid => {
                Ok(self.host.unname(&self.owner, &info).await?)
            }
            _ => Ok(()),
        }
    }

    async fn bury(&self, former: Former) -> Result<(), Problem> {
        let which = former.which;
        let (domain, uuid) = (DomId::new(which.domain), Uuid::from_bytes(which.uuid));
        match former.ended {
            Ended::ShutDown(_) => self.destroy_this(which).await?,
            Ended::Gone => match self.host.gone(domain, uuid).await {
                // Who was ending it may have been ended.
                Err(HostError::StillDying) => self.destroy_this(which).await?,
                gone => gone?,
            },
        }
        Ok(self.host.finished(uuid).await?)
    }

    async fn shut_down(&self, domain: DomId) -> Result<(), Problem> {
        Ok(self.host.shut_down(domain, "poweroff").await?)
    }

    async fn destroy(&self, domain: DomId) -> Result<(), Problem> {
        Ok(self.host.destroy(domain).await?)
    }

    async fn let_go_of(&self, order: &Order) -> Result<(), Problem> {
        self.let_go(&order.config).await
    }

    fn save_all(&self) -> Result<(), Problem> {
        self.save()
    }

    fn complain_of(&self, problem: &Problem) {
        Self::complain(problem);
    }

    fn over(&self, one: &One) {
        self.services.remove(one);
    }
}
