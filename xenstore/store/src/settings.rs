//! What the control domain may set for each domain: quotas and features.

use alloc::collections::BTreeMap;

use bitflags::bitflags;
use morgana_hal::DomId;
use morgana_xenstore_wire::Errno;

use crate::handling::{Done, Handling, ok};
use crate::quota::Quota;

bitflags! {
    /// What a daemon can do (docs/misc/xenstore-ring.txt, "Server feature bitmap").
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Features: u32 {
        /// It says why it has given a connection up, in the ring's page.
        const ERROR = 1 << 1;
        /// A watch may have a depth.
        const WATCH_DEPTH = 1 << 2;
    }
}

/// What is set for one domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Setting {
    pub(crate) quota: Quota,
    pub(crate) features: Features,
}

/// What is set, for all.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// For a domain that comes.
    default: Setting,
    domains: BTreeMap<DomId, Setting>,
}

impl Settings {
    pub(crate) fn new(quota: Quota) -> Self {
        let features = Features::all();
        Self {
            default: Setting { quota, features },
            domains: BTreeMap::new(),
        }
    }

    pub(crate) fn of(&self, domain: DomId) -> Setting {
        self.domains.get(&domain).copied().unwrap_or(self.default)
    }

    /// From now on, what is set for others that come does not matter to this domain.
    pub(crate) fn keep(&mut self, domain: DomId) {
        self.of_mut(domain);
    }

    fn of_mut(&mut self, domain: DomId) -> &mut Setting {
        self.domains.entry(domain).or_insert(self.default)
    }

    pub(crate) fn forget(&mut self, domain: DomId) {
        self.domains.remove(&domain);
    }

    pub(crate) fn default_quota(&self) -> Quota {
        self.default.quota
    }

    /// Sets a quota: a domain's, or that of domains that come. False if there is no such quota.
    pub(crate) fn set_quota(&mut self, domain: Option<DomId>, name: &str, value: usize) -> bool {
        let setting = match domain {
            None => &mut self.default,
            Some(domain) => self.of_mut(domain),
        };
        let limit = setting.quota.limit_mut(name);
        limit.map(|limit| *limit = value).is_some()
    }
}

impl Handling<'_> {
    pub(crate) fn get_feature(&self, domain: Option<DomId>) -> Result<Done, Errno> {
        if domain.is_some() {
            self.only_control()?;
        }
        let domain = domain.unwrap_or(self.caller.domain);
        let features = self.store.settings.of(domain).features;
        Ok(number(features.bits() as usize))
    }

    /// Before the domain is introduced: it must not find that something can no longer be done.
    pub(crate) fn set_feature(&mut self, domain: DomId, bits: u32) -> Result<Done, Errno> {
        self.only_control()?;
        if self.store.domains.contains_key(&domain) {
            return Err(Errno::Busy);
        }
        let features = Features::from_bits(bits).ok_or(Errno::Invalid)?;
        self.store.settings.of_mut(domain).features = features;
        Ok(ok())
    }

    pub(crate) fn quota_names(&self) -> Result<Done, Errno> {
        self.only_control()?;
        Ok(Done::Reply((Quota::NAMES.join(" ") + "\0").into_bytes()))
    }

    pub(crate) fn get_quota(&self, domain: Option<DomId>, name: &str) -> Result<Done, Errno> {
        self.only_control()?;
        let settings = &self.store.settings;
        let quota = domain.map_or(settings.default.quota, |domain| settings.of(domain).quota);
        quota.limit(name).map(number).ok_or(Errno::Invalid)
    }

    pub(crate) fn set_quota(
        &mut self,
        domain: Option<DomId>,
        name: &str,
        value: u32,
    ) -> Result<Done, Errno> {
        self.only_control()?;
        let settings = &mut self.store.settings;
        if settings.set_quota(domain, name, value as usize) {
            Ok(ok())
        } else {
            Err(Errno::Invalid)
        }
    }
}

fn number(number: usize) -> Done {
    Done::Reply(alloc::format!("{number}\0").into_bytes())
}
