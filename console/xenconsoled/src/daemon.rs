//! The daemon: finds the guests, and has a task for each.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt;
use core::time::Duration;

use morgana_exec::{Either, Handle, Notify, Seldom, Task, select};
use morgana_hal::DomId;
use morgana_xenstore_client::{Client, Error, Watch};

use crate::guest::{Gone, Guest};
use crate::rate::Traffic;
use crate::{Host, Options};

/// Which guests a daemon serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guests {
    /// All domains of the machine but domain 0, in which the daemon is. Those whose consoles are given to another domain (`console/backend-id`) are left out.
    All,
    /// Those whose consoles are given to the daemon's domain: they are in its `backend/console`.
    Given,
}

impl Guests {
    /// Where xenstore has a folder for each of them.
    const fn folder(self) -> &'static str {
        match self {
            Self::All => "/local/domain",
            Self::Given => "backend/console",
        }
    }

    /// What changes when they come, and when they go.
    const fn events(self) -> [&'static str; 2] {
        match self {
            Self::All => ["@introduceDomain", "@releaseDomain"],
            // One more watch than is needed, which costs nothing.
            Self::Given => ["backend/console", "backend"],
        }
    }
}

/// Guests that are served at once. Further ones are served when others have gone.
pub(crate) const MAX_GUESTS: usize = 1024;

/// Before a guest that could not be served is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// A console daemon.
pub struct Daemon<H: Host> {
    host: Rc<H>,
    client: Client,
    tasks: Handle,
    options: Options,
    which: Guests,
    guests: RefCell<BTreeMap<DomId, Served>>,
    /// Guests that cannot be served.
    troubles: Rc<RefCell<Seldom>>,
    traffic: Rc<Traffic>,
    /// A guest's task has ended: there may be a later domain of the same number.
    ended: Rc<Notify>,
}

/// A guest that has a task.
struct Served {
    gone: Rc<Gone>,
    task: Task<()>,
}

impl<H: Host> fmt::Debug for Daemon<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guests: Vec<DomId> = self.guests.borrow().keys().copied().collect();
        f.debug_struct("Daemon")
            .field("guests", &guests)
            .finish_non_exhaustive()
    }
}

impl<H: Host> Daemon<H> {
    /// A daemon. Its tasks run on `tasks`' executor.
    pub fn new(host: H, client: Client, tasks: &Handle, options: Options, which: Guests) -> Self {
        Self {
            host: Rc::new(host),
            client,
            tasks: tasks.clone(),
            options,
            which,
            guests: RefCell::default(),
            troubles: Rc::default(),
            traffic: Rc::default(),
            ended: Rc::default(),
        }
    }

    /// Serves guests as they come and go.
    ///
    /// # Errors
    ///
    /// xenstore's, if it cannot be used at all, or no longer.
    pub async fn serve(&self) -> Result<Infallible, Error> {
        let [come, gone] = self.which.events();
        let (come, gone) = (
            self.client.watch(come).await?,
            self.client.watch(gone).await?,
        );
        loop {
            let seen = self.ended.count();
            self.look().await?;
            match select(changed(&come, &gone), self.ended.after(seen)).await {
                Either::First(changed) => changed?,
                Either::Second(_) => {}
            }
            if let Some(closed) = self.client.closed() {
                return Err(Error::Closed(closed));
            }
        }
    }

    /// Looks which domains there are.
    async fn look(&self) -> Result<(), Error> {
        let names = match self.client.children(self.which.folder()).await {
            // A store in which nobody has made a domain yet.
            Err(error) if error.is_not_found() => Vec::new(),
            names => names?,
        };
        let numbers = names.iter().filter_map(|name| name.parse().ok());
        let there: Vec<DomId> = numbers.map(DomId::new).collect();
        self.forget_ended(&there);
        for domain in there {
            if domain != DomId::DOM0 {
                self.start(domain);
            }
        }
        Ok(())
    }

    fn forget_ended(&self, there: &[DomId]) {
        let mut guests = self.guests.borrow_mut();
        for (domain, served) in &*guests {
            if !there.contains(domain) {
                served.gone.tell();
            }
        }
        guests.retain(|_, served| !served.task.is_finished());
    }

    fn start(&self, domain: DomId) {
        let mut guests = self.guests.borrow_mut();
        if guests.contains_key(&domain) {
            return;
        }
        if guests.len() >= MAX_GUESTS {
            let why = format_args!("{MAX_GUESTS} consoles are already");
            return complain(&self.troubles, domain, why);
        }
        let gone = Rc::<Gone>::default();
        let guest = Guest {
            domain,
            host: self.host.clone(),
            client: self.client.clone(),
            timers: self.tasks.timers(),
            traffic: self.traffic.clone(),
            options: self.options,
            which: self.which,
            gone: gone.clone(),
        };
        let (ended, timers) = (self.ended.clone(), self.tasks.timers());
        let troubles = self.troubles.clone();
        let task = self.tasks.spawn(async move {
            if let Err(error) = guest.attend().await {
                complain(&troubles, domain, error);
                timers.sleep(PAUSE).await;
            }
            ended.notify();
        });
        match task {
            Ok(task) => drop(guests.insert(domain, Served { gone, task })),
            Err(error) => complain(&self.troubles, domain, error),
        }
    }
}

/// Says seldom that a guest cannot be served: it is tried again and again.
fn complain(troubles: &RefCell<Seldom>, domain: DomId, why: impl fmt::Display) {
    if let Some(times) = troubles.borrow_mut().again() {
        log::error!("the console of {domain} cannot be served: {why} (time {times})");
    }
}

/// Waits until a domain has come or gone.
async fn changed(come: &Watch, gone: &Watch) -> Result<(), Error> {
    match select(come.next(), gone.next()).await {
        Either::First(changed) | Either::Second(changed) => changed.map(drop),
    }
}
