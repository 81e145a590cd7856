//! The daemon: finds the guests, and has a task for each.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt;
use core::time::Duration;

use morgana_exec::{Either, Handle, Notify, Task, select};
use morgana_hal::DomId;
use morgana_xenstore_client::{Client, Error, Watch};

use crate::guest::{Gone, Guest};
use crate::rate::Traffic;
use crate::seldom::Seldom;
use crate::{Host, Options};

/// Where xenstore has a folder for each domain.
const DOMAINS: &str = "/local/domain";

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
    /// Domains whose consoles are not for it: its own, and domain 0's, which is nobody's guest.
    others: Vec<DomId>,
    guests: RefCell<BTreeMap<DomId, Served>>,
    surplus: RefCell<Seldom>,
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
    /// A daemon that serves all domains but domain 0 and `own`. Its tasks run on `tasks`' executor.
    pub fn new(host: H, client: Client, tasks: &Handle, options: Options, own: DomId) -> Self {
        Self {
            host: Rc::new(host),
            client,
            tasks: tasks.clone(),
            options,
            others: [DomId::DOM0, own].to_vec(),
            guests: RefCell::default(),
            surplus: RefCell::default(),
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
        let introduced = self.client.watch("@introduceDomain").await?;
        let released = self.client.watch("@releaseDomain").await?;
        loop {
            let seen = self.ended.count();
            self.look().await?;
            match select(changed(&introduced, &released), self.ended.after(seen)).await {
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
        let names = match self.client.children(DOMAINS).await {
            // A store in which nobody has made a domain yet.
            Err(error) if error.is_not_found() => Vec::new(),
            names => names?,
        };
        let numbers = names.iter().filter_map(|name| name.parse().ok());
        let there: Vec<DomId> = numbers.map(DomId::new).collect();
        self.forget_ended(&there);
        for domain in there {
            if !self.others.contains(&domain) {
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
            if let Some(times) = self.surplus.borrow_mut().again() {
                log::error!(
                    "{domain} is not served: {MAX_GUESTS} consoles are already (time {times})"
                );
            }
            return;
        }
        let gone = Rc::<Gone>::default();
        let guest = Guest {
            domain,
            host: self.host.clone(),
            client: self.client.clone(),
            timers: self.tasks.timers(),
            traffic: self.traffic.clone(),
            options: self.options,
            gone: gone.clone(),
        };
        let (ended, timers) = (self.ended.clone(), self.tasks.timers());
        let task = self.tasks.spawn(async move {
            if let Err(error) = guest.attend().await {
                log::error!("the console of {domain} cannot be served: {error}");
                timers.sleep(PAUSE).await;
            }
            ended.notify();
        });
        match task {
            Ok(task) => drop(guests.insert(domain, Served { gone, task })),
            Err(error) => log::error!("the console of {domain} cannot be served: {error}"),
        }
    }
}

/// Waits until a domain has come or gone.
async fn changed(introduced: &Watch, released: &Watch) -> Result<(), Error> {
    match select(introduced.next(), released.next()).await {
        Either::First(changed) | Either::Second(changed) => changed.map(drop),
    }
}
