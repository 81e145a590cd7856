//! A domain, before and while it runs.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use morgana_exec::{Executor, Handle};
use morgana_hal::{DomId, Exit, GrantRef, Platform, Port};

use crate::grants::XENSTORE_ENTRY;
use crate::heap::Account;
use crate::hypercall::Machine;
use crate::upcall::Upcall;
use crate::{Console, EmulIdle, EmulPlatform, Reactor};

/// The domain's existence: when the last value that belongs to it is dropped, the domain ends.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) machine: Machine,
    pub(crate) id: DomId,
    pub(crate) upcall: Arc<Upcall>,
    pub(crate) account: Arc<Account>,
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(inner) = self.here() {
            inner.state().end(self.id);
        }
        // Elsewhere the hypervisor sees that the connection ends.
    }
}

/// Where a domain's xenstore ring is; its server needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct XenstoreRing {
    pub(crate) page: usize,
    port: Port,
}

impl XenstoreRing {
    pub(crate) fn new(page: usize, port: Port) -> Self {
        Self { page, port }
    }

    /// The reference by which the domain grants the ring's page.
    pub fn grant(&self) -> GrantRef {
        GrantRef::new(XENSTORE_ENTRY)
    }

    /// The domain's port, open for the server.
    pub fn port(&self) -> Port {
        self.port
    }
}

/// A domain that does not run yet. It may move to the thread that shall run it. Dropping it ends the domain.
#[derive(Debug)]
pub struct Domain {
    pub(crate) life: Life,
    pub(crate) xenstore: Option<XenstoreRing>,
    pub(crate) console: Console,
}

/// How a domain ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome<T = Exit> {
    /// By itself; with what it returned.
    Exited(T),
    /// Somebody killed it.
    Killed,
}

/// What unwinds a killed domain's thread.
pub(crate) struct Killed;

impl Domain {
    /// Its id.
    pub fn id(&self) -> DomId {
        self.life.id
    }

    /// Where its xenstore ring is, if it has one.
    pub fn xenstore_ring(&self) -> Option<XenstoreRing> {
        self.xenstore
    }

    /// Makes the current thread the domain's. The domain ends when all that comes from the two values has been dropped.
    ///
    /// # Panics
    ///
    /// If the Linux kernel has no descriptor left for an epoll instance.
    pub fn enter(self) -> (EmulPlatform, EmulIdle) {
        let life = Rc::new(self.life);
        let reactor = match Reactor::new(life.upcall.descriptor()) {
            Ok(reactor) => reactor,
            Err(error) => panic!("the host gives no epoll instance for a domain: {error}"),
        };
        let platform =
            EmulPlatform::new(life.clone(), self.xenstore, self.console, reactor.clone());
        let idle = EmulIdle::new(life, platform.local_ports(), reactor);
        (platform, idle)
    }

    /// Runs the domain on the current thread until `main`'s future is done, or the domain is killed.
    ///
    /// To end a killed domain its tasks are unwound. In a program whose panics abort that cannot be; the thread then waits for
    /// ever instead, while its peers see the domain gone.
    pub fn run<M, F>(self, main: M) -> Outcome<F::Output>
    where
        M: FnOnce(EmulPlatform, Handle, Reactor) -> F,
        F: Future<Output: 'static> + 'static,
    {
        let (hypervisor, id) = (self.life.here().cloned(), self.id());
        let account = self.life.account.clone();
        let charged = account.charge();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let (platform, mut idle) = self.enter();
            let clock = platform.clock().clone();
            let mut executor = Executor::new();
            let main = main(platform, executor.handle(), idle.reactor());
            executor.block_on(main, &mut idle, &clock)
        }));
        drop(charged);
        if let Some(hypervisor) = hypervisor {
            hypervisor.state().returned(id);
        }
        match ended {
            Ok(result) => Outcome::Exited(result),
            Err(payload) if payload.is::<Killed>() => Outcome::Killed,
            Err(payload) => resume_unwind(payload),
        }
    }

    /// As [`run`](Self::run), on a thread of its own.
    ///
    /// # Errors
    ///
    /// What the host says when it has no thread to give; the domain is ended then.
    pub fn spawn<M, F>(self, main: M) -> std::io::Result<DomainThread<F::Output>>
    where
        M: FnOnce(EmulPlatform, Handle, Reactor) -> F + Send + 'static,
        F: Future<Output: Send + 'static> + 'static,
    {
        let id = self.id();
        let thread = thread::Builder::new()
            .name(id.to_string())
            .spawn(move || self.run(main))?;
        Ok(DomainThread { id, thread })
    }
}

/// A domain that runs on a thread of its own.
#[derive(Debug)]
pub struct DomainThread<T = Exit> {
    id: DomId,
    thread: thread::JoinHandle<Outcome<T>>,
}

impl<T> DomainThread<T> {
    /// The domain's id.
    pub fn id(&self) -> DomId {
        self.id
    }

    /// Waits until the domain has ended. A panic in it goes on here.
    pub fn join(self) -> Outcome<T> {
        match self.thread.join() {
            Ok(outcome) => outcome,
            Err(payload) => resume_unwind(payload),
        }
    }
}
