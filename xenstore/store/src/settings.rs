//! What the control domain may set for each domain: quotas and features.

use alloc::collections::BTreeMap;

use bitflags::bitflags;
use morgana_hal::DomId;
use morgana_xenstore_wire::Errno;

use crate::departure::Orphans;
use crate::handling::{Done, Handling, ok};
use crate::quota::{Quota, Resource};

bitflags! {
    /// What a daemon can do (docs/misc/xenstore-ring.txt, "Server feature bitmap").
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Features: u32 {
        /// A domain may ask for its ring to be emptied, and begin anew.
        const RECONNECTION = 1 << 0;
        /// It says why it has given a connection up, in the ring's page.
        const ERROR = 1 << 1;
        /// A watch may have a depth.
        const WATCH_DEPTH = 1 << 2;
        /// A permission may be for all domains (io/xs_wire.h, `XENSTORE_SERVER_FEATURE_DOMID_ANY`).
        const ANY_DOMAIN = 1 << 3;
    }
}

/// What is set for one domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Setting {
    pub(crate) quota: Quota,
    pub(crate) features: Features,
}

/// Whether each request goes into the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Trace {
    /// It does.
    On,
    /// It does not.
    #[default]
    Off,
}

/// What is set, for all.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// For a domain that comes.
    default: Setting,
    domains: BTreeMap<DomId, Setting>,
    pub(crate) orphans: Orphans,
    pub(crate) trace: Trace,
}

impl Settings {
    pub(crate) fn new(quota: Quota) -> Self {
        let features = Features::all();
        Self {
            default: Setting { quota, features },
            domains: BTreeMap::new(),
            orphans: Orphans::default(),
            trace: Trace::default(),
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

    /// The domains for which something is set.
    pub(crate) fn known(&self) -> impl Iterator<Item = DomId> {
        self.domains.keys().copied()
    }

    /// What is set, by domain.
    pub(crate) fn set(&self) -> impl Iterator<Item = (DomId, Setting)> {
        self.domains
            .iter()
            .map(|(&domain, &setting)| (domain, setting))
    }

    /// Sets a domain's quota, or that of domains that come.
    pub(crate) fn set_quota(&mut self, domain: Option<DomId>, quota: Quota) {
        *self.quota_mut(domain) = quota;
    }

    /// Sets what a domain is told that the daemon can do.
    pub(crate) fn set_features(&mut self, domain: DomId, features: Features) {
        self.of_mut(domain).features = features;
    }

    /// A domain's quota, or that of domains that come.
    pub(crate) fn quota(&self, domain: Option<DomId>) -> Quota {
        domain.map_or(self.default, |domain| self.of(domain)).quota
    }

    fn quota_mut(&mut self, domain: Option<DomId>) -> &mut Quota {
        match domain {
            None => &mut self.default.quota,
            Some(domain) => &mut self.of_mut(domain).quota,
        }
    }
}

impl Handling<'_> {
    pub(crate) fn get_feature(&self, domain: Option<DomId>) -> Result<Done, Errno> {
        if domain.is_some() {
            self.only_control()?;
            self.must_exist(domain)?;
        }
        let domain = domain.unwrap_or(self.caller.domain);
        let features = self.store.settings.of(domain).features;
        Ok(number(features.bits() as usize))
    }

    /// Before the domain is introduced: it must not find that something can no longer be done.
    pub(crate) fn set_feature(&mut self, domain: DomId, bits: u32) -> Result<Done, Errno> {
        self.must_exist(Some(domain))?;
        if self.store.domains.contains_key(&domain) {
            return Err(Errno::Busy);
        }
        let features = Features::from_bits(bits).ok_or(Errno::Invalid)?;
        self.store.settings.set_features(domain, features);
        self.store.note_settings(Some(domain));
        Ok(ok())
    }

    pub(crate) fn quota_names(&self) -> Done {
        let names = Resource::ALL.map(Resource::name);
        Done::Reply((names.join(" ") + "\0").into_bytes())
    }

    pub(crate) fn get_quota(&self, domain: Option<DomId>, name: &str) -> Result<Done, Errno> {
        self.must_exist(domain)?;
        let resource = Resource::from_name(name).ok_or(Errno::Invalid)?;
        let quota = self.store.settings.quota(domain);
        Ok(number(quota.limit(resource)))
    }

    pub(crate) fn set_quota(
        &mut self,
        domain: Option<DomId>,
        name: &str,
        value: u32,
    ) -> Result<Done, Errno> {
        self.must_exist(domain)?;
        let resource = Resource::from_name(name).ok_or(Errno::Invalid)?;
        let quota = self.store.settings.quota_mut(domain);
        *quota.limit_mut(resource) = value as usize;
        self.store.note_settings(domain);
        Ok(ok())
    }

    /// What is set for a domain that there is not would be for whichever comes.
    fn must_exist(&self, domain: Option<DomId>) -> Result<(), Errno> {
        match domain {
            Some(domain) if !self.exists(domain) => Err(Errno::NotFound),
            _ => Ok(()),
        }
    }
}

fn number(number: usize) -> Done {
    Done::Reply(alloc::format!("{number}\0").into_bytes())
}
