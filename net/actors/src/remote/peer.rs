//! A peer that is connected again and again.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::Future;

use morgana_exec::{Handle, Notify, Task, TooManyTasks};
use morgana_hal::ByteStream;

use super::link::Link;
use super::node::Node;
use crate::Backoff;
use crate::local::policy::Random;

/// A peer that this node connects to, and again when the connection is gone. Addresses do not outlive a connection: whoever had one hears of its
/// end, takes a new [`link`](Self::link), and looks the name up again. Dropping this ends the connection.
pub struct Peer {
    current: Rc<Current>,
    task: Task<()>,
}

#[derive(Default)]
struct Current {
    link: RefCell<Option<Link>>,
    changed: Notify,
}

impl Peer {
    /// Keeps a connection over the streams that `dial` makes. After each attempt in vain, and each connection in which the peer did not even say who it is, it
    /// waits longer (`backoff`; `seed` decides about the jitter).
    ///
    /// # Errors
    ///
    /// [`TooManyTasks`]: it is a task.
    pub fn start<S, E, F>(
        tasks: &Handle,
        node: &Node,
        dial: impl Fn() -> F + 'static,
        backoff: Backoff,
        seed: u64,
    ) -> Result<Self, TooManyTasks>
    where
        S: ByteStream,
        F: Future<Output = Result<S, E>> + 'static,
        E: 'static,
    {
        let current = Rc::new(Current::default());
        let (kept, node, timers) = (current.clone(), node.clone(), tasks.timers());
        let task = tasks.spawn(async move {
            let mut random = Random::new(seed);
            let mut in_vain = 0;
            loop {
                if let Ok(stream) = dial().await {
                    let (link, running) = node.attach(stream);
                    kept.set(Some(link.clone()));
                    running.await;
                    kept.set(None);
                    if link.peer().is_some() {
                        in_vain = 0;
                    }
                }
                timers.sleep(backoff.wait(in_vain, random.draw())).await;
                in_vain = in_vain.saturating_add(1);
            }
        })?;
        Ok(Self { current, task })
    }

    /// The connection, as soon as there is one.
    pub async fn link(&self) -> Link {
        loop {
            let seen = self.current.changed.count();
            let link = self.current.link.borrow().clone();
            if let Some(link) = link {
                return link;
            }
            self.current.changed.after(seen).await;
        }
    }
}

impl Current {
    fn set(&self, link: Option<Link>) {
        *self.link.borrow_mut() = link;
        self.changed.notify();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}
