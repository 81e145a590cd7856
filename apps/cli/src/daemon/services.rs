//! Services: domains that are to run, always.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use morgana_exec::Notify;
use morgana_hal::DomId;
use serde_json::{Value, json};

use super::guests::Names;
use super::problem::{Kind, Problem};
use super::state::{Last, Order, Run};

/// Services at a time. One more is refused.
const MOST: usize = 256;

/// A service.
#[derive(Debug)]
pub(super) struct One {
    pub(super) order: Order,
    /// The domain that it is, or was last.
    pub(super) last: Cell<Option<Last>>,
    told: RefCell<Told>,
    end: Cell<End>,
    /// Former domains of its of which something is left.
    leaving: Cell<u32>,
    /// Its end is wanted, or reached; or nothing is left of a former domain.
    changed: Notify,
}

/// What is told of it.
#[derive(Debug)]
struct Told {
    at: At,
    /// How often its domain was made anew.
    restarts: u64,
    /// Why it ended last, or could not be made.
    reason: Option<String>,
}

/// Where in its life it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum At {
    /// Its domain is being made.
    Starting,
    /// This is its domain.
    Running(DomId),
    /// It was too short a life, again and again.
    Waiting,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    NotWanted,
    Wanted,
    Reached,
}

impl One {
    fn new(run: Run) -> Self {
        let told = Told {
            at: At::Starting,
            restarts: 0,
            reason: None,
        };
        Self {
            order: run.order,
            last: Cell::new(run.last),
            told: RefCell::new(told),
            end: Cell::new(End::NotWanted),
            leaving: Cell::new(0),
            changed: Notify::new(),
        }
    }

    pub(super) fn is_at(&self, at: At) {
        self.told.borrow_mut().at = at;
    }

    /// Its domain has ended for this reason, or could not be made.
    pub(super) fn has_ended(&self, reason: String) {
        self.told.borrow_mut().reason = Some(reason);
    }

    /// Its domain was made anew.
    pub(super) fn is_restarted(&self) {
        self.told.borrow_mut().restarts += 1;
    }

    pub(super) fn is_to_end(&self) -> bool {
        self.end.get() != End::NotWanted
    }

    /// Something is left of a former domain.
    pub(super) fn leaves(&self) {
        self.leaving.set(self.leaving.get() + 1);
    }

    /// Nothing is left of a former domain.
    pub(super) fn has_left(&self) {
        self.leaving.set(self.leaving.get().saturating_sub(1));
        self.changed.notify();
    }

    /// Returns when nothing is left of any former domain.
    pub(super) async fn all_have_left(&self) {
        self.until(|| self.leaving.get() == 0).await;
    }

    /// Returns when its end is wanted.
    pub(super) async fn end_wanted(&self) {
        self.until(|| self.is_to_end()).await;
    }

    /// Returns when its end is reached.
    pub(super) async fn end_reached(&self) {
        self.until(|| self.end.get() == End::Reached).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            let seen = self.changed.count();
            if is_so() {
                return;
            }
            self.changed.after(seen).await;
        }
    }

    fn ends(&self, end: End) {
        self.end.set(end);
        self.changed.notify();
    }

    fn tell(&self, names: Names<'_>) -> Value {
        let told = self.told.borrow();
        let (state, domain) = match told.at {
            _ if self.is_to_end() => ("halting", None),
            At::Starting => ("starting", None),
            At::Running(domain) => ("running", Some(domain.number())),
            At::Waiting => ("waiting", None),
        };
        json!({
            "name": self.order.name,
            "config": names.tell(&self.order.config),
            "state": state,
            "domain": domain,
            "restarts": told.restarts,
            "reason": told.reason,
        })
    }
}

/// All services, by name.
#[derive(Debug, Default)]
pub(super) struct Services(RefCell<BTreeMap<String, Rc<One>>>);

impl Services {
    /// A new one; nothing if it is there already, and the same.
    pub(super) fn add(&self, run: Run) -> Result<Option<Rc<One>>, Problem> {
        let all = &mut *self.0.borrow_mut();
        let name = run.order.name.clone();
        match all.get(&name) {
            Some(one) if one.order == run.order && !one.is_to_end() => return Ok(None),
            Some(_) => {
                let why = "another service is called so";
                return Err(Problem::new(Kind::NameInUse, why).about(&name));
            }
            None if all.len() == MOST => {
                let why = format!("there are {MOST} services already");
                return Err(Problem::bad_request(why));
            }
            None => {}
        }
        let one = Rc::new(One::new(run));
        all.insert(name, Rc::clone(&one));
        Ok(Some(one))
    }

    /// The one of this name.
    pub(super) fn find(&self, name: &str) -> Option<Rc<One>> {
        self.0.borrow().get(name).cloned()
    }

    /// Has one come to its end.
    pub(super) fn want_end(&self, one: &One) {
        if !one.is_to_end() {
            one.ends(End::Wanted);
        }
    }

    /// It goes on after all.
    pub(super) fn take_back(&self, one: &One) {
        one.ends(End::NotWanted);
    }

    /// Forgets one that has come to its end.
    pub(super) fn remove(&self, one: &One) {
        self.0.borrow_mut().remove(&one.order.name);
        one.ends(End::Reached);
    }

    /// Those that are to go on.
    pub(super) fn all(&self) -> Vec<Rc<One>> {
        let all = self.0.borrow();
        all.values()
            .filter(|one| !one.is_to_end())
            .cloned()
            .collect()
    }

    /// All of them, as JSON.
    pub(super) fn tell(&self, names: Names<'_>) -> Value {
        self.0
            .borrow()
            .values()
            .map(|one| one.tell(names))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, extra: &str) -> Run {
        let order = Order {
            name: name.to_owned(),
            config: "/web.cfg".into(),
            extra: extra.to_owned(),
        };
        Run { order, last: None }
    }

    #[test]
    fn a_name_is_one_service() {
        let services = Services::default();
        let one = services.add(run("web", "")).unwrap().unwrap();
        assert!(services.add(run("web", "")).unwrap().is_none());
        let problem = services.add(run("web", "other")).unwrap_err();
        assert_eq!(problem.kind, Kind::NameInUse);
        services.want_end(&one);
        // Not before the end is reached.
        assert_eq!(
            services.add(run("web", "")).unwrap_err().kind,
            Kind::NameInUse
        );
        assert!(services.all().is_empty());
        assert_eq!(services.tell(Names::Paths)[0]["state"], "halting");
        services.remove(&one);
        assert!(services.find("web").is_none());
        services.add(run("web", "other")).unwrap().unwrap();
    }

    #[test]
    fn there_is_an_end_of_services() {
        let services = Services::default();
        for number in 0..MOST {
            services
                .add(run(&format!("web-{number}"), ""))
                .unwrap()
                .unwrap();
        }
        assert_eq!(
            services.add(run("more", "")).unwrap_err().kind,
            Kind::BadRequest
        );
        assert!(services.add(run("web-0", "")).unwrap().is_none());
    }

    #[test]
    fn what_is_told_of_one() {
        let services = Services::default();
        let one = services.add(run("web", "")).unwrap().unwrap();
        one.is_at(At::Running(DomId::new(7)));
        one.is_restarted();
        one.has_ended("crashed".to_owned());
        let told = json!([{
            "name": "web", "config": "/web.cfg", "state": "running", "domain": 7, "restarts": 1, "reason": "crashed",
        }]);
        assert_eq!(services.tell(Names::Paths), told);
    }
}
