//! A keeper on a machine that is made up, where a test says what ends, and when nothing is left of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use morgana_exec::{Executor, ManualClock, Notify, Timers};
use morgana_hal::DomId;
use morgana_toolstack::Ended;

use super::keeper::{Disks, Former, Keeper, Keeping, Since};
use super::problem::Problem;
use super::services::{One, Services};
use super::state::{Last, Order, Run};

/// How a domain is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Is {
    Alive,
    /// It runs no more.
    Over(Ended),
}

/// How a machine is to be.
#[derive(Clone, Copy, Debug)]
struct Nature {
    disks: Disks,
    /// How long a domain lives, if not until the test ends it.
    lives: Option<Duration>,
    /// How long it takes until nothing is left of one that runs no more.
    lingers: Duration,
    /// Domains that cannot be made.
    fails: u16,
    /// Whether a domain shuts down when it is asked to.
    deaf: bool,
}

const NATURE: Nature = Nature {
    disks: Disks::NotWritten,
    lives: None,
    lingers: Duration::from_secs(4),
    fails: 0,
    deaf: false,
};

struct Machine {
    timers: Timers,
    nature: Nature,
    /// The domains of which something is left, and whether they have the name.
    domains: RefCell<BTreeMap<u16, (Is, bool)>>,
    made: Cell<u16>,
    services: Services,
    changed: Notify,
    told: RefCell<Vec<String>>,
}

impl Machine {
    fn tell(&self, what: &str) {
        let seconds = self.timers.now().as_nanos() / 1_000_000_000;
        self.told.borrow_mut().push(format!("{seconds}: {what}"));
    }

    /// What happened, one line each.
    fn told(&self) -> Vec<String> {
        self.told.take()
    }

    fn add(&self) -> u16 {
        let number = self.made.get() + 1;
        self.made.set(number);
        let mut domains = self.domains.borrow_mut();
        // `xl` finds one of a name, or the other.
        assert!(domains.values().all(|(_, named)| !named), "{domains:?}");
        domains.insert(number, (Is::Alive, true));
        number
    }

    fn end(&self, number: u16, ended: Ended) {
        if let Some((is, _)) = self.domains.borrow_mut().get_mut(&number) {
            *is = Is::Over(ended);
        }
        self.changed.notify();
    }

    fn is(&self, domain: DomId) -> Option<Is> {
        let domains = self.domains.borrow();
        domains.get(&domain.number()).map(|(is, _)| *is)
    }

    async fn pass(&self, seconds: u64) {
        self.timers.sleep(Duration::from_secs(seconds)).await;
    }
}

impl Keeping for Machine {
    async fn clear(&self, _: &str) -> Result<(), Problem> {
        self.tell("clear");
        Ok(())
    }

    async fn there(&self, _: &str) -> Result<Option<DomId>, Problem> {
        let domains = self.domains.borrow();
        let mut named = domains.iter().filter(|(_, (_, named))| *named);
        Ok(named.next().map(|(number, _)| DomId::new(*number)))
    }

    fn which(&self, domain: DomId) -> Option<Last> {
        self.is(domain)?;
        Some(Last {
            domain: domain.number(),
            uuid: [0; 16],
        })
    }

    fn disks(&self, _: &Order) -> Result<Disks, Problem> {
        Ok(self.nature.disks)
    }

    async fn disks_are_free(&self, _: &Order, _: Option<Last>) -> Result<(), Problem> {
        match self.domains.borrow().is_empty() {
            true => Ok(()),
            false => Err(Problem::failed("the disk is in use")),
        }
    }

    async fn start(&self, _: &Order) -> Result<DomId, Problem> {
        if self.made.get() < self.nature.fails {
            self.made.set(self.made.get() + 1);
            self.tell("failed");
            return Err(Problem::failed("no memory"));
        }
        let number = self.add();
        self.tell(&format!("start {number}"));
        Ok(DomId::new(number))
    }

    async fn ended(&self, domain: DomId) -> Result<Ended, Problem> {
        if let Some(lives) = self.nature.lives {
            self.timers.sleep(lives).await;
            self.end(domain.number(), Ended::ShutDown(3));
        }
        loop {
            let seen = self.changed.count();
            match self.is(domain) {
                None => return Ok(Ended::Gone),
                Some(Is::Over(ended)) => return Ok(ended),
                Some(Is::Alive) => {}
            }
            self.changed.after(seen).await;
        }
    }

    async fn unname(&self, which: Last) -> Result<(), Problem> {
        if let Some((_, named)) = self.domains.borrow_mut().get_mut(&which.domain) {
            *named = false;
        }
        Ok(())
    }

    async fn bury(&self, former: Former) -> Result<(), Problem> {
        self.timers.sleep(self.nature.lingers).await;
        let number = former.which.domain;
        self.domains.borrow_mut().remove(&number);
        self.tell(&format!("nothing is left of {number}"));
        Ok(())
    }

    async fn shut_down(&self, domain: DomId) -> Result<(), Problem> {
        self.tell("shut down");
        if !self.nature.deaf {
            self.end(domain.number(), Ended::ShutDown(0));
        }
        Ok(())
    }

    async fn destroy(&self, domain: DomId) -> Result<(), Problem> {
        self.tell("destroy");
        self.timers.sleep(self.nature.lingers).await;
        self.domains.borrow_mut().remove(&domain.number());
        Ok(())
    }

    async fn let_go_of(&self, _: &Order) -> Result<(), Problem> {
        Ok(())
    }

    fn save_all(&self) -> Result<(), Problem> {
        Ok(())
    }

    fn complain_of(&self, problem: &Problem) {
        self.tell(&problem.why);
    }

    fn over(&self, one: &One) {
        self.tell("over");
        self.services.remove(one);
    }
}

/// Runs a test with a service that has been kept running since then.
fn with_keeper(nature: Nature, since: Since, test: impl AsyncFnOnce(&Machine, &One) + 'static) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let machine = Rc::new(Machine {
        timers: tasks.timers(),
        nature,
        domains: RefCell::default(),
        made: Cell::new(0),
        services: Services::default(),
        changed: Notify::new(),
        told: RefCell::default(),
    });
    let order = Order {
        name: "web".to_owned(),
        config: "/web.cfg".into(),
        extra: String::new(),
    };
    let one = machine.services.add(Run { order, last: None });
    let one = one.unwrap().unwrap();
    if since == Since::AnotherDaemon {
        machine.add();
    }
    let keeper = Keeper {
        by: Rc::clone(&machine),
        one: Rc::clone(&one),
        timers: tasks.timers(),
        tasks: tasks.clone(),
    };
    tasks.spawn(keeper.keep_running(since)).unwrap();
    let done = async move { test(&machine, &one).await };
    executor.block_on(done, &mut clock.idle(), &clock);
}

#[test]
fn the_next_one_does_not_wait_until_nothing_is_left_of_the_last() {
    with_keeper(NATURE, Since::Now, async |machine, one| {
        machine.pass(5).await;
        machine.end(1, Ended::Gone);
        machine.pass(5).await;
        let told = ["0: start 1", "5: start 2", "9: nothing is left of 1"];
        assert_eq!(machine.told(), told);
        assert_eq!(one.last.get().unwrap().domain, 2);
        // And once more, when the second one has lived long.
        machine.pass(60).await;
        machine.end(2, Ended::ShutDown(3));
        machine.pass(1).await;
        assert_eq!(machine.told(), ["70: start 3"]);
    });
}

#[test]
fn one_whose_disks_are_written_waits_until_nobody_has_them() {
    let nature = Nature {
        disks: Disks::Written,
        ..NATURE
    };
    with_keeper(nature, Since::Now, async |machine, _| {
        machine.pass(5).await;
        machine.end(1, Ended::Gone);
        machine.pass(5).await;
        let told = ["0: start 1", "9: nothing is left of 1", "9: start 2"];
        assert_eq!(machine.told(), told);
    });
}

#[test]
fn those_that_die_at_once_are_made_ever_more_seldom() {
    let nature = Nature {
        lives: Some(Duration::ZERO),
        lingers: Duration::ZERO,
        ..NATURE
    };
    with_keeper(nature, Since::Now, async |machine, one| {
        machine.pass(20).await;
        let mut told = machine.told();
        told.retain(|line| line.contains("start"));
        let starts = [
            "0: start 1",
            "0: start 2",
            "1: start 3",
            "3: start 4",
            "7: start 5",
            "15: start 6",
        ];
        assert_eq!(told, starts);
        // Its end is wanted amid a pause: that is cut short.
        machine.services.want_end(one);
        one.end_reached().await;
        assert_eq!(machine.told(), ["20: over"]);
        assert!(machine.domains.borrow().is_empty());
    });
}

#[test]
fn of_those_that_die_at_once_few_are_left() {
    let nature = Nature {
        lives: Some(Duration::ZERO),
        lingers: Duration::from_secs(100),
        ..NATURE
    };
    with_keeper(nature, Since::Now, async |machine, one| {
        machine.pass(90).await;
        // The second one had not to wait for the first; the third has.
        assert_eq!(machine.told(), ["0: start 1", "0: start 2"]);
        assert_eq!(machine.domains.borrow().len(), 2);
        machine.services.want_end(one);
        one.end_reached().await;
        let told = [
            "100: nothing is left of 1",
            "100: nothing is left of 2",
            "100: over",
        ];
        assert_eq!(machine.told(), told);
    });
}

#[test]
fn one_that_cannot_be_made_is_tried_again() {
    let nature = Nature { fails: 3, ..NATURE };
    with_keeper(nature, Since::Now, async |machine, one| {
        machine.pass(10).await;
        let told = ["0: failed", "0: failed", "1: failed", "3: start 4"];
        assert_eq!(machine.told(), told);
        assert_eq!(one.last.get().unwrap().domain, 4);
    });
}

#[test]
fn halted_it_shuts_down_and_nothing_is_left() {
    for (deaf, told) in [
        (
            false,
            ["5: shut down", "9: nothing is left of 1", "9: over"],
        ),
        (true, ["5: shut down", "15: destroy", "19: over"]),
    ] {
        let nature = Nature { deaf, ..NATURE };
        with_keeper(nature, Since::Now, async move |machine, one| {
            machine.pass(5).await;
            machine.told();
            machine.services.want_end(one);
            one.end_reached().await;
            assert_eq!(machine.told(), told);
            assert!(machine.domains.borrow().is_empty());
        });
    }
}

#[test]
fn after_a_new_beginning_the_one_that_is_there_goes_on() {
    with_keeper(NATURE, Since::AnotherDaemon, async |machine, one| {
        machine.pass(5).await;
        assert_eq!(machine.told(), ["0: clear"]);
        assert_eq!(one.last.get().unwrap().domain, 1);
        machine.end(1, Ended::Gone);
        machine.pass(1).await;
        assert_eq!(machine.told(), ["5: start 2"]);
    });
}
