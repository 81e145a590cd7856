//! What the daemon does for its clients.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use morgana_hal::DomId;
use morgana_toolstack::Names as DomainNames;
use serde_json::{Value, json};

use super::guests::Names;
use super::keeper::{Keeper, Since};
use super::kept::{Kept, Kinds};
use super::problem::{Kind, Problem, answer};
use super::recipes::Recipes;
use super::request::{Asked, Request};
use super::services::{One, Services};
use super::state::{Keep, Order, Run, State, StateFile};
use crate::domains::{Figures, Here, here};
use crate::failure::Failure;
use crate::session::Session;

pub(super) struct Service {
    pub(super) session: Session,
    pub(super) host: Here,
    pub(super) recipes: Recipes,
    pub(super) kept: Kept,
    pub(super) kinds: Kinds,
    pub(super) services: Services,
    /// Names of domains that are being made: another request with such a name comes too late.
    pub(super) making: RefCell<BTreeSet<String>>,
    /// By what its notes in xenstore are known.
    pub(super) owner: String,
    file: StateFile,
}

impl Service {
    /// With what it was asked for before its last end.
    pub(super) fn new(session: Session, file: StateFile) -> Result<Self, Failure> {
        let service = Self {
            host: here(&session, DomainNames::watched())?,
            session,
            recipes: Recipes::default(),
            kept: Kept::default(),
            kinds: Kinds::default(),
            services: Services::default(),
            making: RefCell::default(),
            owner: file.owner(),
            file,
        };
        let state = match service.file.read().map_err(Failure::of)? {
            Ok(state) => state,
            Err((aside, why)) => {
                let why = format!("what is to be kept running is not known: {why}");
                Self::complain(&Problem::failed(why).about(&aside.display().to_string()));
                State::default()
            }
        };
        for Keep { config, count } in state.keep {
            service.kept.set(&config, count).map_err(Failure::of)?;
        }
        for run in state.run {
            service.services.add(run).map_err(Failure::of)?;
        }
        Ok(service)
    }

    /// The answer to a line.
    pub(super) async fn answer(self: &Rc<Self>, line: &[u8]) -> String {
        let done = match Request::parse(line) {
            Ok(request) => self.act(request, Names::Paths).await,
            Err(problem) => Err(problem),
        };
        answer(&done)
    }

    /// Tells the operator what no client hears.
    pub(super) fn complain(problem: &Problem) {
        use morgana_command::Failure as _;
        Failure::of(problem).tell();
    }

    /// Writes down what it was asked for.
    pub(super) fn save(&self) -> Result<(), Problem> {
        let kept = self.kept.all().into_iter();
        let services = self.services.all();
        let run = |one: &Rc<One>| Run {
            order: one.order.clone(),
            last: one.last.get(),
        };
        let state = State {
            keep: kept.map(|(config, count)| Keep { config, count }).collect(),
            run: services.iter().map(run).collect(),
        };
        let written = self.file.write(&state);
        written.map_err(|error| Problem::failed(error).about("it cannot be written down"))
    }

    /// Has so many domains of a configuration built ahead from now on.
    pub(super) fn keep(&self, config: &Path, count: usize) -> Result<(), Problem> {
        // What cannot be read is told at once.
        self.recipes.get(config)?;
        let before = self.kept.count(config);
        self.kept.set(config, count)?;
        self.save().inspect_err(|_| {
            // It fitted before.
            let _ = self.kept.set(config, before);
        })
    }

    /// Has a domain run, always.
    pub(super) fn run(
        self: &Rc<Self>,
        config: PathBuf,
        name: Option<String>,
        extra: String,
    ) -> Result<(), Problem> {
        let (_, wanted) = self.wanted(&config, name.as_deref(), &extra)?;
        let order = Order {
            name: wanted.name,
            config,
            extra,
        };
        let Some(one) = self.services.add(Run { order, last: None })? else {
            return Ok(());
        };
        let begun = self
            .save()
            .and_then(|()| self.begin_keeping(&one, Since::Now));
        begun.inspect_err(|_| self.services.remove(&one))
    }

    /// Begins with all services that are known.
    pub(super) fn begin_all(self: &Rc<Self>) -> Result<(), Problem> {
        let all = self.services.all();
        all.iter()
            .try_for_each(|one| self.begin_keeping(one, Since::AnotherDaemon))
    }

    fn begin_keeping(self: &Rc<Self>, one: &Rc<One>, since: Since) -> Result<(), Problem> {
        let keeper = Keeper {
            by: Rc::clone(self),
            one: Rc::clone(one),
            timers: self.session.timers.clone(),
            tasks: self.session.tasks.clone(),
        };
        let keeping = self.session.tasks.spawn(keeper.keep_running(since));
        keeping.map_err(Problem::failed)?;
        self.kept.changed.notify();
        Ok(())
    }

    /// Ends a service, and returns when its domain is gone.
    async fn halt(&self, name: &str) -> Result<(), Problem> {
        let Some(one) = self.services.find(name) else {
            let problem = Problem::new(Kind::NoSuchDomain, "no service is called so");
            return Err(problem.about(name));
        };
        if !one.is_to_end() {
            self.services.want_end(&one);
            self.save().inspect_err(|_| self.services.take_back(&one))?;
        }
        one.end_reached().await;
        Ok(())
    }

    async fn create(&self, path: &Path, name: Option<&str>, extra: &str) -> Result<DomId, Problem> {
        let (recipe, config) = self.wanted(path, name, extra)?;
        if self.services.find(&config.name).is_some() {
            let problem = Problem::new(Kind::NameInUse, "a service is called so");
            return Err(problem.about(&config.name));
        }
        self.make(&recipe, &config).await
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
}

impl Asked for Rc<Service> {
    async fn act(&self, request: Request, names: Names<'_>) -> Result<Value, Problem> {
        let done = match request {
            Request::Create {
                config,
                name,
                extra,
            } => {
                let domain = self.create(&config, name.as_deref(), &extra).await?;
                return Ok(json!({ "domain": domain.number() }));
            }
            Request::Run {
                config,
                name,
                extra,
            } => return self.run(config, name, extra).map(Value::from),
            Request::Halt { name } => return self.halt(&name).await.map(Value::from),
            Request::Services => return Ok(self.services.tell(names)),
            Request::Keep { config, count } => return self.keep(&config, count).map(Value::from),
            Request::Kept => return self.tell_kept(names).await,
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
