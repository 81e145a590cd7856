//! What keeps one service running.
//!
//! ```text
//! find ──none there──▶ start ──▶ run ──ended──▶ take its name ──▶ pause ──▶ find
//!   │ there (after a new beginning of the daemon's)  ▲  │ its end is wanted
//!   └────────────────────────────────────────────────┘  ▼
//!                                         ask it to shut down, end it
//! ```
//!
//! The next domain does not wait until nothing is left of the last one, which takes seconds on a machine that has much to do: that one leaves meanwhile. But if it could write a disk, the
//! next one waits until nobody has that.

use std::rc::Rc;
use std::time::Duration;

use morgana_exec::{Either, Handle, Timers, select};
use morgana_hal::DomId;
use morgana_toolstack::Ended;

use super::backoff::Backoff;
use super::problem::Problem;
use super::services::{At, One};
use super::state::{Last, Order};
use crate::domains::ending;

/// How long a domain may take to shut down when it is asked to. Then it is ended.
pub(super) const SHUTTING_DOWN: Duration = Duration::from_secs(10);

/// Since when a service is kept running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Since {
    /// Somebody has asked for it now.
    Now,
    /// Another daemon, which has ended, was asked for it.
    AnotherDaemon,
}

/// What a domain can do to disks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Disks {
    /// It can write one.
    Written,
    /// It has none, or can but read them.
    NotWritten,
}

/// A domain that runs no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Former {
    pub(super) which: Last,
    pub(super) ended: Ended,
}

/// What a keeper does things with.
pub(super) trait Keeping {
    /// Ends a domain of this name that has never run: the daemon before came to its end while it made one.
    async fn clear(&self, name: &str) -> Result<(), Problem>;
    /// The domain of this name, if there is one that is not dying.
    async fn there(&self, name: &str) -> Result<Option<DomId>, Problem>;
    /// Which one this is of all that ever had its number; nothing if it has ended already.
    fn which(&self, domain: DomId) -> Option<Last>;
    /// What the service's domain can do to disks.
    fn disks(&self, order: &Order) -> Result<Disks, Problem>;
    /// Returns when nobody has a disk that the service's domain can write, and nothing is left of the last one.
    async fn disks_are_free(&self, order: &Order, last: Option<Last>) -> Result<(), Problem>;
    /// Makes the service's domain.
    async fn start(&self, order: &Order) -> Result<DomId, Problem>;
    /// Returns when a domain runs no more.
    async fn ended(&self, domain: DomId) -> Result<Ended, Problem>;
    /// Takes its name from one that runs no more.
    async fn unname(&self, which: Last) -> Result<(), Problem>;
    /// Returns when nothing is left of one that runs no more; ends it, if nobody else does.
    async fn bury(&self, former: Former) -> Result<(), Problem>;
    /// Asks a domain to shut down.
    async fn shut_down(&self, domain: DomId) -> Result<(), Problem>;
    /// Ends a domain, and returns when nothing is left of it.
    async fn destroy(&self, domain: DomId) -> Result<(), Problem>;
    /// Lets go what is there for the service's next domain.
    async fn let_go_of(&self, order: &Order) -> Result<(), Problem>;
    /// Writes down what all services are.
    fn save_all(&self) -> Result<(), Problem>;
    /// Tells the operator.
    fn complain_of(&self, problem: &Problem);
    /// The service has come to its end.
    fn over(&self, one: &One);
}

/// What keeps one service running.
pub(super) struct Keeper<K> {
    pub(super) by: Rc<K>,
    pub(super) one: Rc<One>,
    pub(super) timers: Timers,
    pub(super) tasks: Handle,
}

struct Life {
    ended: Ended,
    lived: Duration,
}

impl<K: Keeping + 'static> Keeper<K> {
    /// Keeps it running until its end is wanted, and ends it then.
    pub(super) async fn keep_running(self, since: Since) {
        let one = &*self.one;
        let mut backoff = Backoff::default();
        if since == Since::AnotherDaemon
            && let Err(problem) = self.by.clear(&one.order.name).await
        {
            one.has_ended(problem.why);
        }
        let mut former = None;
        let mut lives = 0;
        while !one.is_to_end() {
            one.is_at(At::Starting);
            let lived = match self.live(&mut former, lives).await {
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
                self.let_leave(former.take()).await;
                select(self.timers.sleep(pause), one.end_wanted()).await;
            }
        }
        self.let_leave(former).await;
        if let Err(problem) = self.end().await {
            self.by.complain_of(&problem.about(&one.order.name));
        }
        one.all_have_left().await;
        self.by.over(one);
    }

    /// One life of its domain: it runs no more afterwards. No life if its end is wanted.
    async fn live(&self, former: &mut Option<Former>, lives: u64) -> Result<Option<Life>, Problem> {
        let one = &*self.one;
        let domain = match self.by.there(&one.order.name).await? {
            Some(domain) => domain,
            None => {
                let Some(domain) = self.begin(former).await? else {
                    return Ok(None);
                };
                if lives > 0 {
                    one.is_restarted();
                }
                domain
            }
        };
        one.is_at(At::Running(domain));
        let which = self.remember(domain);
        self.let_leave(former.take()).await;
        let begun = self.timers.now();
        let ended = match select(self.by.ended(domain), one.end_wanted()).await {
            Either::First(ended) => ended?,
            Either::Second(()) => return Ok(None),
        };
        let lived = self.timers.now().since(begun);
        if let Some(which) = which.or_else(|| self.by.which(domain)) {
            *former = Some(Former { which, ended });
            self.by.unname(which).await?;
        }
        Ok(Some(Life { ended, lived }))
    }

    /// Makes its domain; none if its end is wanted before it may begin. If it can write a disk, nothing is left of the former one and nobody has that. Otherwise but the former one may be leaving
    /// still, so that those which die again and again do not become many.
    async fn begin(&self, former: &mut Option<Former>) -> Result<Option<DomId>, Problem> {
        let one = &*self.one;
        if self.by.disks(&one.order)? == Disks::Written {
            self.let_leave(former.take()).await;
        }
        if let Either::Second(()) = select(one.all_have_left(), one.end_wanted()).await {
            return Ok(None);
        }
        if self.by.disks(&one.order)? == Disks::Written {
            self.by.disks_are_free(&one.order, one.last.get()).await?;
        }
        self.by.start(&one.order).await.map(Some)
    }

    /// Notes which domain it is now. If that cannot be written, the service runs all the same.
    fn remember(&self, domain: DomId) -> Option<Last> {
        let last = self.by.which(domain);
        if last.is_some()
            && self.one.last.replace(last) != last
            && let Err(problem) = self.by.save_all()
        {
            self.by.complain_of(&problem);
        }
        last
    }

    /// Sees to it that nothing will be left of a former domain, while other things are done.
    async fn let_leave(&self, former: Option<Former>) {
        let Some(former) = former else {
            return;
        };
        let (by, one) = (Rc::clone(&self.by), Rc::clone(&self.one));
        let bury = async move {
            if let Err(problem) = by.bury(former).await {
                by.complain_of(&problem.about(&one.order.name));
            }
            one.has_left();
        };
        self.one.leaves();
        if self.tasks.spawn(bury).is_err() {
            // No task is left: then the service waits for it.
            if let Err(problem) = self.by.bury(former).await {
                self.by.complain_of(&problem.about(&self.one.order.name));
            }
            self.one.has_left();
        }
    }

    /// Has its domain shut down, and ends it.
    async fn end(&self) -> Result<(), Problem> {
        let order = &self.one.order;
        if let Some(domain) = self.by.there(&order.name).await? {
            let which = self.by.which(domain);
            let asked = async {
                self.by.shut_down(domain).await?;
                self.by.ended(domain).await
            };
            let asked = self.timers.timeout(SHUTTING_DOWN, asked).await;
            match (asked, which) {
                (Ok(Ok(ended)), Some(which)) => self.by.bury(Former { which, ended }).await?,
                _ => self.by.destroy(domain).await?,
            }
        }
        self.by.let_go_of(order).await
    }
}
