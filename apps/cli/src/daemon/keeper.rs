//! What keeps one service running.
//!
//! ```text
//! find ──none there──▶ wait for the last one's disks ──▶ start ──▶ run ──ended──▶ pause ──▶ find
//!   │ there (after a new beginning of the daemon's)               ▲  │ its end is wanted
//!   └─────────────────────────────────────────────────────────────┘  ▼
//!                                                          ask it to shut down, end it
//! ```

use std::rc::Rc;
use std::time::Duration;

use morgana_exec::{Either, select};
use morgana_hal::{Activity, DomId};
use morgana_toolstack::{DiskAccess, Ended, HostError, Uuid};

use super::backoff::Backoff;
use super::problem::Problem;
use super::service::Service;
use super::services::{At, One};
use super::state::Last;
use crate::domains::ending;

/// How long a domain may take to shut down when it is asked to. Then it is ended.
const SHUTTING_DOWN: Duration = Duration::from_secs(10);

/// Since when a service is kept running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Since {
    /// Somebody has asked for it now.
    Now,
    /// Another daemon, which has ended, was asked for it.
    AnotherDaemon,
}

struct Life {
    ended: Ended,
    lived: Duration,
}

impl Service {
    /// Keeps it running until its end is wanted, and ends it then.
    pub(super) async fn keep_running(self: Rc<Self>, one: Rc<One>, since: Since) {
        let mut backoff = Backoff::default();
        if since == Since::AnotherDaemon
            && let Err(problem) = self.clear(&one).await
        {
            one.has_ended(problem.why);
        }
        let mut lives = 0;
        while !one.is_to_end() {
            one.is_at(At::Starting);
            let lived = match self.live(&one, lives).await {
                Ok(Some(life)) => {
                    one.has_ended(ending(life.ended));
                    life.lived
                }
                Ok(None) => break,
                Err(problem) => {
                    one.has_ended(problem.why);
                    Duration::ZERO
                }
            };
            lives += 1;
            let pause = backoff.ended_after(lived);
            if !pause.is_zero() {
                one.is_at(At::Waiting);
                select(self.host.timers.sleep(pause), one.end_wanted()).await;
            }
        }
        if let Err(problem) = self.end(&one).await {
            Self::complain(&problem.about(&one.order.name));
        }
        self.services.remove(&one);
    }

    /// Ends a domain of this name that has never run: the daemon before came to its end while it made one.
    async fn clear(&self, one: &One) -> Result<(), Problem> {
        let listed = self.host.list().await?;
        let never_ran = listed.iter().find(|listed| {
            let info = &listed.info;
            listed.name == one.order.name
                && info.activity == Activity::Paused
                && info.cpu_time_ns == 0
        });
        if let Some(listed) = never_ran {
            self.host.destroy(listed.info.domain).await?;
        }
        Ok(())
    }

    /// One life of its domain: nothing is left of it afterwards. No life if its end is wanted.
    async fn live(&self, one: &One, lives: u64) -> Result<Option<Life>, Problem> {
        let domain = match self.there(one).await? {
            Some(domain) => domain,
            None => {
                let domain = self.begin(one).await?;
                if lives > 0 {
                    one.is_restarted();
                }
                domain
            }
        };
        self.remember(one, domain);
        one.is_at(At::Running(domain));
        let begun = self.host.timers.now();
        let ended = match select(self.host.ended(domain), one.end_wanted()).await {
            Either::First(ended) => ended?,
            Either::Second(()) => return Ok(None),
        };
        let lived = self.host.timers.now().since(begun);
        match ended {
            Ended::ShutDown(_) => self.host.destroy(domain).await?,
            Ended::Gone => self.bury(domain, one).await?,
        }
        Ok(Some(Life { ended, lived }))
    }

    /// The domain of its name, if there is one.
    async fn there(&self, one: &One) -> Result<Option<DomId>, Problem> {
        match self.host.find(&one.order.name).await {
            Err(HostError::NoSuchDomain) => Ok(None),
            found => Ok(Some(found?)),
        }
    }

    /// Makes its domain, when nobody has its disks.
    async fn begin(&self, one: &One) -> Result<DomId, Problem> {
        let order = &one.order;
        let (recipe, config) = self.wanted(&order.config, Some(&order.name), &order.extra)?;
        let mut disks = config.disks.iter();
        if disks.any(|disk| disk.access == DiskAccess::ReadWrite) {
            if let Some(Last { domain, uuid }) = one.last.get() {
                let (domain, uuid) = (DomId::new(domain), Uuid::from_bytes(uuid));
                self.host.gone(domain, uuid).await?;
            }
            self.host.disks_are_free(&config).await?;
        }
        self.make(&recipe, &config).await
    }

    /// Waits until nothing is left of a domain that somebody else ends, and ends it if that does not.
    async fn bury(&self, domain: DomId, one: &One) -> Result<(), Problem> {
        let Some(Last { uuid, .. }) = one.last.get() else {
            return Ok(());
        };
        match self.host.gone(domain, Uuid::from_bytes(uuid)).await {
            Err(HostError::StillDying) => Ok(self.host.destroy(domain).await?),
            gone => Ok(gone?),
        }
    }

    /// Notes which domain it is now. If that cannot be written, the service runs all the same.
    fn remember(&self, one: &One, domain: DomId) {
        let Ok(Some(uuid)) = self.host.uuid(domain) else {
            // It has ended already.
            return;
        };
        let last = Some(Last {
            domain: domain.number(),
            uuid: uuid.bytes(),
        });
        if one.last.replace(last) != last
            && let Err(problem) = self.save()
        {
            Self::complain(&problem);
        }
    }

    /// Has its domain shut down, and ends it.
    async fn end(&self, one: &One) -> Result<(), Problem> {
        if let Some(domain) = self.there(one).await? {
            let asked = async {
                self.host.shut_down(domain, "poweroff").await?;
                self.host.ended(domain).await
            };
            let asked = self.host.timers.timeout(SHUTTING_DOWN, asked).await;
            if let Ok(Ok(Ended::Gone)) = asked {
                self.bury(domain, one).await?;
            } else {
                self.host.destroy(domain).await?;
            }
        }
        self.let_go(&one.order.config).await
    }
}
