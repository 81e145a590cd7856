//! The helper's end of the link: it has the logs and the terminals of guests that a daemon elsewhere serves.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt;
use core::future::poll_fn;

use morgana_exec::{Either, Handle, Notify, Seldom, Task, TooManyTasks, select};
use morgana_hal::{ByteStream, DomId};
use morgana_xenstore_client::Client;

use super::frame::{Frame, Frames, Kind, credit};
use super::queue::Queue;
use super::{LinkError, TYPED_WINDOW, WINDOW};
use crate::guest::tell_terminal;
use crate::session::now;
use crate::{Log, Outlets};

/// Guests that a daemon may have. One that says more breaks the rules.
const MAX_GUESTS: usize = 1024;

/// The helper.
pub struct Helper<O: Outlets> {
    outlets: O,
    client: Client,
    tasks: Handle,
    server: DomId,
    queue: Rc<Queue>,
    /// Guests that the daemon has named and does not serve.
    strangers: RefCell<Seldom>,
}

/// One guest.
struct Guest<O: Outlets> {
    log: Option<O::Log>,
    failures: Seldom,
    terminal: Option<Rc<O::Terminal>>,
    screen: Rc<Screen>,
    /// Ends with the guest.
    tasks: [Option<Task<()>>; 2],
}

/// What is on its way to and from a guest's terminal.
#[derive(Default)]
struct Screen {
    waiting: RefCell<VecDeque<u8>>,
    /// How many typed bytes may be sent.
    credit: RefCell<usize>,
    changed: Notify,
}

impl<O: Outlets> Drop for Guest<O> {
    fn drop(&mut self) {
        for task in self.tasks.iter().flatten() {
            task.abort();
        }
    }
}

impl<O: Outlets> fmt::Debug for Helper<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helper").finish_non_exhaustive()
    }
}

impl<O: Outlets> Helper<O> {
    /// A helper of the daemon in the domain `server`. It makes logs and terminals by `outlets`, for guests whose consoles the toolstack has
    /// given to that domain, and writes to xenstore where the terminals are.
    pub fn new(outlets: O, client: Client, tasks: &Handle, server: DomId) -> Self {
        Self {
            outlets,
            client,
            tasks: tasks.clone(),
            server,
            queue: Rc::default(),
            strangers: RefCell::default(),
        }
    }

    /// Serves the daemon at the other end, until it goes. All terminals go then.
    pub async fn serve<S: ByteStream>(&self, stream: &S) -> LinkError {
        self.queue.retain(|_| false);
        match select(self.queue.send(stream), self.receive(stream)).await {
            Either::First(Err(error)) => error.into(),
            Either::Second(Err(error)) => error,
            Either::First(Ok(never)) | Either::Second(Ok(never)) => match never {},
        }
    }

    async fn receive<S: ByteStream>(&self, stream: &S) -> Result<Infallible, LinkError> {
        let mut guests = BTreeMap::new();
        let mut frames = Frames::default();
        let mut piece = [0; 4096];
        loop {
            let len = poll_fn(|cx| stream.poll_read(cx, &mut piece)).await?;
            frames.add(&piece[..len]);
            while let Some(frame) = frames.next()? {
                self.take(frame, &mut guests).await?;
            }
        }
    }

    async fn take(
        &self,
        frame: Frame<'_>,
        guests: &mut BTreeMap<DomId, Guest<O>>,
    ) -> Result<(), LinkError> {
        let domain = frame.domain;
        if frame.kind == Kind::Open {
            if guests.len() >= MAX_GUESTS || guests.contains_key(&domain) {
                return Err(LinkError::Breach);
            }
            let guest = self.open(domain).await?;
            guests.insert(domain, guest);
            return Ok(());
        }
        let guest = guests.get_mut(&domain).ok_or(LinkError::Breach)?;
        match frame.kind {
            Kind::Close => {
                guest.show_last().await;
                guests.remove(&domain);
                self.queue.forget(domain);
            }
            Kind::Logged => guest.log(domain, frame.content).await,
            Kind::Shown => guest.screen.show(frame.content, self.queue.owed(domain))?,
            Kind::Credit => guest.screen.allow(credit(frame.content)?)?,
            Kind::Open | Kind::Typed => return Err(LinkError::Breach),
        }
        Ok(())
    }

    async fn open(&self, domain: DomId) -> Result<Guest<O>, LinkError> {
        let mut guest = Guest::default();
        let home = format!("/local/domain/{}", domain.number());
        if !self.is_given(&home).await {
            if let Some(times) = self.strangers.borrow_mut().again() {
                let server = self.server;
                log::warn!(
                    "{server} says that it serves {domain}, which is not its guest (time {times})"
                );
            }
            return Ok(guest);
        }
        let name = self.client.read_text(&format!("{home}/name")).await;
        let name = name.unwrap_or_else(|_| format!("{}", domain.number()));
        guest.log = self.outlets.open_log(domain, &name);
        if let Some((terminal, path)) = self.outlets.open_terminal(domain) {
            if let Some(path) = path {
                tell_terminal(&self.client, domain, &home, path).await;
            }
            let terminal = Rc::new(terminal);
            let (screen, queue) = (&guest.screen, &self.queue);
            let show = show(domain, terminal.clone(), screen.clone(), queue.clone());
            let type_in = type_in(domain, terminal.clone(), screen.clone(), queue.clone());
            let spawned =
                |task: Result<_, TooManyTasks>| task.map(Some).map_err(|_| LinkError::TooManyTasks);
            guest.tasks = [
                spawned(self.tasks.spawn(show))?,
                spawned(self.tasks.spawn(type_in))?,
            ];
            guest.terminal = Some(terminal);
        }
        Ok(guest)
    }

    /// Whether the toolstack has given the guest's console to the daemon's domain. Where it does not say to which, it is domain 0.
    async fn is_given(&self, home: &str) -> bool {
        let path = format!("{home}/console/backend-id");
        match self.client.read_number(&path).await {
            Ok(server) => DomId::new(server) == self.server,
            Err(error) => error.is_not_found() && self.server == DomId::DOM0,
        }
    }
}

impl<O: Outlets> Default for Guest<O> {
    /// One that has neither a log nor a terminal.
    fn default() -> Self {
        let screen = Rc::<Screen>::default();
        screen.credit.replace(TYPED_WINDOW);
        Self {
            log: None,
            failures: Seldom::default(),
            terminal: None,
            screen,
            tasks: [None, None],
        }
    }
}

impl<O: Outlets> Guest<O> {
    async fn log(&mut self, domain: DomId, bytes: &[u8]) {
        let Some(log) = &mut self.log else {
            return;
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            match poll_fn(|cx| log.poll_add(cx, rest)).await {
                Ok(len) => rest = rest.get(len.max(1)..).unwrap_or_default(),
                Err(error) => {
                    if let Some(times) = self.failures.again() {
                        log::error!(
                            "the log of {domain} cannot be written: {error} (time {times})"
                        );
                    }
                    return;
                }
            }
        }
    }

    /// Shows what is left of a guest that is gone, as far as the terminal takes it now.
    async fn show_last(&self) {
        let Some(terminal) = &self.terminal else {
            return;
        };
        let mut piece = [0; 2048];
        loop {
            let len = self.screen.peek(&mut piece);
            if len == 0 {
                return;
            }
            let Some(Ok(shown)) = now(|cx| terminal.poll_write(cx, &piece[..len])).await else {
                return;
            };
            self.screen.waiting.borrow_mut().drain(..shown);
        }
    }
}

impl Screen {
    /// Takes bytes that are to be shown. The daemon has not been told yet that `owed` bytes were.
    fn show(&self, bytes: &[u8], owed: usize) -> Result<(), LinkError> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() + owed + bytes.len() > WINDOW {
            return Err(LinkError::Breach);
        }
        waiting.extend(bytes);
        self.changed.notify();
        Ok(())
    }

    fn allow(&self, more: usize) -> Result<(), LinkError> {
        let mut credit = self.credit.borrow_mut();
        if more > TYPED_WINDOW - *credit {
            return Err(LinkError::Breach);
        }
        *credit += more;
        self.changed.notify();
        Ok(())
    }

    fn peek(&self, into: &mut [u8]) -> usize {
        let waiting = self.waiting.borrow();
        let len = waiting.len().min(into.len());
        for (into, byte) in into.iter_mut().zip(&*waiting) {
            *into = *byte;
        }
        len
    }
}

/// Shows what waits, and gives credit for it.
async fn show<T: ByteStream>(domain: DomId, terminal: Rc<T>, screen: Rc<Screen>, queue: Rc<Queue>) {
    let mut piece = [0; 2048];
    loop {
        let seen = screen.changed.count();
        let len = screen.peek(&mut piece);
        if len == 0 {
            screen.changed.after(seen).await;
            continue;
        }
        let shown = match poll_fn(|cx| terminal.poll_write(cx, &piece[..len])).await {
            Ok(shown) => shown,
            Err(error) => {
                log::error!("the terminal of {domain} is gone: {error}");
                return;
            }
        };
        screen.waiting.borrow_mut().drain(..shown);
        queue.give(domain, shown);
    }
}

/// Sends what is typed, as far as there is credit.
async fn type_in<T: ByteStream>(
    domain: DomId,
    terminal: Rc<T>,
    screen: Rc<Screen>,
    queue: Rc<Queue>,
) {
    let mut piece = [0; TYPED_WINDOW];
    loop {
        let seen = screen.changed.count();
        let most = *screen.credit.borrow();
        if most == 0 {
            screen.changed.after(seen).await;
            continue;
        }
        let Ok(len) = poll_fn(|cx| terminal.poll_read(cx, &mut piece[..most])).await else {
            return;
        };
        *screen.credit.borrow_mut() -= len;
        let frame = Frame {
            kind: Kind::Typed,
            domain,
            content: &piece[..len],
        };
        poll_fn(|cx| queue.poll_push(cx, &frame)).await;
    }
}
