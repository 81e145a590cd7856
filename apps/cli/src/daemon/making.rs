//! Domains that are made, and those that are built ahead.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use morgana_exec::{Notify, Seldom};
use morgana_hal::{Clock, DomId, WallTime};
use morgana_linux::LinuxClock;
use morgana_toolstack::{Config, HostError, Uuid};
use serde_json::{Value, json};

use super::guests::Names;
use super::problem::{Kind, Problem};
use super::service::Service;
use crate::domains::{Understood, uuid};

/// How long to wait after a domain could not be built ahead.
const PAUSE: Duration = Duration::from_secs(5);

/// Whether a domain was built ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Built {
    One,
    None,
}

impl Service {
    /// What is wanted: a configuration, with another name and more words.
    pub(super) fn wanted(
        &self,
        path: &Path,
        name: Option<&str>,
        extra: &str,
    ) -> Result<(Rc<Understood>, Config), Problem> {
        let recipe = self.recipes.get(path)?;
        let mut config = recipe.config.clone();
        if let Some(name) = name {
            let named = config.rename(name.to_owned());
            named.map_err(|mistake| Problem::bad_request(mistake.to_string()))?;
        }
        let appended = config.append(extra);
        appended.map_err(|mistake| Problem::bad_request(mistake.to_string()))?;
        Ok((recipe, config))
    }

    /// Makes a domain, of one that was built ahead if there is one. Another one of its name is not begun meanwhile.
    pub(super) async fn make(
        &self,
        recipe: &Understood,
        config: &Config,
    ) -> Result<DomId, Problem> {
        let name = config.name.clone();
        if !self.making.borrow_mut().insert(name.clone()) {
            let problem = Problem::new(Kind::NameInUse, "it is being made already");
            return Err(problem.about(&name));
        }
        let made = self.start(recipe, config).await;
        self.making.borrow_mut().remove(&name);
        made
    }

    async fn start(&self, recipe: &Understood, config: &Config) -> Result<DomId, Problem> {
        let taken = self.host.take(&recipe.kind, config).await?;
        // One is missing now; or there was none, of a configuration that has changed.
        self.kept.changed.notify();
        if let Some(domain) = taken {
            return Ok(domain);
        }
        let create = async |uuid, now| self.host.create(config, &recipe.image, uuid, now).await;
        self.build(create).await
    }

    /// Builds a domain. If the daemon is killed meanwhile, the next one finds what there is of it, and ends it.
    async fn build(
        &self,
        build: impl AsyncFnOnce(Uuid, WallTime) -> Result<DomId, HostError>,
    ) -> Result<DomId, Problem> {
        let (uuid, now) = (uuid(&self.session), LinuxClock.wall());
        self.host.note(&self.owner, uuid).await?;
        let built = build(uuid, now).await;
        // A note that stays does no harm: of a domain that has run it says nothing.
        let _ = self.host.finished(uuid).await;
        Ok(built?)
    }

    /// Ends what another daemon has left that was killed while it built domains or ended them.
    pub(super) async fn end_unfinished(&self) {
        if let Err(error) = self.host.end_unfinished(&self.owner).await {
            let about = "what was left unfinished cannot be ended";
            Self::complain(&Problem::from(error).about(about));
        }
    }

    pub(super) async fn tell_kept(&self, names: Names<'_>) -> Result<Value, Problem> {
        let mut all = Vec::new();
        for (config, wanted) in self.kept.all() {
            let Some(name) = names.tell(&config) else {
                continue;
            };
            let recipe = self.recipes.get(&config)?;
            let there = self.host.waiting(&recipe.kind).await?;
            all.push(json!({ "config": name, "wanted": wanted, "there": there }));
        }
        Ok(Value::from(all))
    }

    /// Builds ahead what is wanted, for ever.
    pub(super) async fn replenish(&self) {
        let changed: &Notify = &self.kept.changed;
        let mut failed = Seldom::default();
        loop {
            let seen = changed.count();
            if let Err(problem) = self.replenish_once().await {
                if let Some(count) = failed.again() {
                    let about = format!("a domain cannot be built ahead ({count} times)");
                    Self::complain(&problem.about(&about));
                }
                self.session.timers.sleep(PAUSE).await;
                continue;
            }
            changed.after(seen).await;
        }
    }

    /// Builds until all is there. After each domain it begins from the front, so that one for a service's next start waits for no more than one of a fleet's.
    async fn replenish_once(&self) -> Result<(), Problem> {
        loop {
            self.session.timers.sleep_until(self.kept.rest()).await;
            let (mut done, mut built) = (Ok(()), Built::None);
            for (path, count) in self.all_kept() {
                match self.replenish_one(&path, count).await {
                    Ok(Built::One) => {
                        built = Built::One;
                        break;
                    }
                    Ok(Built::None) => {}
                    // One configuration that is wrong keeps the others from nothing.
                    Err(problem) => done = done.and(Err(problem)),
                }
            }
            if built == Built::None {
                return done;
            }
        }
    }

    /// Builds one, if any is missing.
    async fn replenish_one(&self, path: &Path, count: usize) -> Result<Built, Problem> {
        let recipe = self.recipes.get(path)?;
        if let Some(old) = self.kinds.replace(path, &recipe.kind) {
            self.host.discard(&old).await?;
        }
        if self.host.waiting(&recipe.kind).await? >= count {
            return Ok(Built::None);
        }
        let prepare = async |uuid, now| {
            let (kind, config) = (&recipe.kind, &recipe.config);
            let host = &self.host;
            host.prepare(kind, config, &recipe.image, uuid, now).await
        };
        let domain = self.build(prepare).await?;
        if self.is_kept(path) {
            return Ok(Built::One);
        }
        // Nobody wants it any more.
        self.host.destroy(domain).await?;
        Ok(Built::None)
    }

    fn is_kept(&self, path: &Path) -> bool {
        self.all_kept().iter().any(|(other, _)| other == path)
    }

    /// What is to be built ahead: what was asked for, and one for the next start of the services of each configuration.
    fn all_kept(&self) -> Vec<(PathBuf, usize)> {
        let services = self.services.all();
        let configs = services.iter().map(|one| &*one.order.config);
        self.kept.all_with(configs)
    }

    /// Ends what was built ahead for a service, if nobody else wants such.
    pub(super) async fn let_go(&self, path: &Path) -> Result<(), Problem> {
        if !self.is_kept(path) {
            let recipe = self.recipes.get(path)?;
            self.host.discard(&recipe.kind).await?;
        }
        Ok(())
    }
}
