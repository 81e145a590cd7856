//! What the daemon does for its clients.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use morgana_exec::{Notify, Seldom};
use morgana_hal::{Clock, DomId};
use morgana_linux::LinuxClock;
use morgana_toolstack::{Config, HostError};
use serde_json::{Value, json};

use super::guests::Names;
use super::kept::Kept;
use super::problem::{Kind, Problem, answer};
use super::recipes::{Recipe, Recipes};
use super::request::{Asked, Request};
use crate::domains::{Figures, Here, here, uuid};
use crate::failure::Failure;
use crate::session::Session;

/// How long to wait after a domain could not be built ahead.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Service {
    session: Session,
    host: Here,
    recipes: Recipes,
    kept: Kept,
    /// Names of domains that are being made: another request with such a name comes too late.
    making: RefCell<BTreeSet<String>>,
}

impl Service {
    pub(super) fn new(session: Session) -> Result<Self, Failure> {
        Ok(Self {
            host: here(&session)?,
            session,
            recipes: Recipes::default(),
            kept: Kept::default(),
            making: RefCell::default(),
        })
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// The answer to a line.
    pub(super) async fn answer(&self, line: &[u8]) -> String {
        let done = match Request::parse(line) {
            Ok(request) => self.act(request, Names::Paths).await,
            Err(problem) => Err(problem),
        };
        answer(&done)
    }

    async fn find(&self, called: &str) -> Result<DomId, Problem> {
        let found = self.host.find(called).await;
        found.map_err(|error| Problem::from(error).about(called))
    }

    async fn figures(&self, only: Option<DomId>) -> Result<Value, Problem> {
        let listed = self.host.list().await?;
        let listed = listed
            .iter()
            .filter(|listed| only.is_none_or(|only| only == listed.info.domain));
        let figures: Vec<Figures<'_>> = listed
            .map(|listed| Figures::of(&listed.name, &listed.info))
            .collect();
        serde_json::to_value(figures).map_err(Problem::failed)
    }

    async fn create(
        &self,
        path: &Path,
        name: Option<String>,
        extra: &str,
    ) -> Result<DomId, Problem> {
        let recipe = self.recipes.get(path)?;
        let mut config = recipe.config.clone();
        if let Some(name) = name {
            config
                .rename(name)
                .map_err(|error| Problem::bad_request(error.to_string()))?;
        }
        config
            .append(extra)
            .map_err(|error| Problem::bad_request(error.to_string()))?;
        let name = config.name.clone();
        if !self.making.borrow_mut().insert(name.clone()) {
            let problem = Problem::new(Kind::NameInUse, "it is being made already");
            return Err(problem.about(&name));
        }
        let made = self.start(&recipe, &config).await;
        self.making.borrow_mut().remove(&name);
        Ok(made?)
    }

    async fn start(&self, recipe: &Recipe, config: &Config) -> Result<DomId, HostError> {
        let taken = self
            .host
            .take(&recipe.kind, &config.name, &config.extra)
            .await?;
        if let Some(domain) = taken {
            self.kept.changed.notify();
            return Ok(domain);
        }
        let (uuid, now) = (uuid(&self.session), LinuxClock.wall());
        self.host.create(config, &recipe.image, uuid, now).await
    }

    /// Has so many domains of a configuration built ahead from now on.
    pub(super) fn keep(&self, config: &Path, count: usize) -> Result<(), Problem> {
        // What cannot be read is told at once.
        self.recipes.get(config)?;
        self.kept.set(config, count)
    }

    async fn kept(&self, names: Names<'_>) -> Result<Value, Problem> {
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
            if let Err(error) = self.replenish_once().await {
                if let Some(count) = failed.again() {
                    let why = format!("a domain cannot be built ahead ({count} times): {error}");
                    Failure::Failed(why).tell();
                }
                self.session.timers.sleep(PAUSE).await;
                continue;
            }
            changed.after(seen).await;
        }
    }

    async fn replenish_once(&self) -> Result<(), Problem> {
        let mut done = Ok(());
        for (path, count) in self.kept.all() {
            // One configuration that is wrong keeps the others from nothing.
            done = done.and(self.replenish_one(&path, count).await);
        }
        done
    }

    async fn replenish_one(&self, path: &Path, count: usize) -> Result<(), Problem> {
        let recipe = self.recipes.get(path)?;
        let there = self.host.waiting(&recipe.kind).await?;
        for _ in there..count {
            let (uuid, now) = (uuid(&self.session), LinuxClock.wall());
            let (kind, config) = (&recipe.kind, &recipe.config);
            let made = self.host.prepare(kind, config, &recipe.image, uuid, now);
            made.await?;
        }
        Ok(())
    }
}

impl Asked for Service {
    async fn act(&self, request: Request, names: Names<'_>) -> Result<Value, Problem> {
        let done = match request {
            Request::Create {
                config,
                name,
                extra,
            } => {
                let domain = self.create(&config, name, &extra).await?;
                return Ok(json!({ "domain": domain.number() }));
            }
            Request::Keep { config, count } => return self.keep(&config, count).map(Value::from),
            Request::Kept => return self.kept(names).await,
            Request::List => return self.figures(None).await,
            Request::Stats { domain } => {
                return self.figures(Some(self.find(&domain).await?)).await;
            }
            Request::Pause { domain } => self.host.pause(self.find(&domain).await?),
            Request::Unpause { domain } => self.host.unpause(self.find(&domain).await?),
            Request::Shutdown { domain } => {
                let domain = self.find(&domain).await?;
                self.host.shut_down(domain, "poweroff").await
            }
            Request::Reboot { domain } => {
                let domain = self.find(&domain).await?;
                self.host.shut_down(domain, "reboot").await
            }
            Request::Destroy { domain } => self.host.destroy(self.find(&domain).await?).await,
        };
        Ok(Value::from(done?))
    }
}
