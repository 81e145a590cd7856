//! xenstored in memory, logs that count, terminals that tests look into.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll};

use morgana_exec::{Duplex, Handle, Notify, duplex, yield_now};
use morgana_hal::{Channel, DomId, Port};
use morgana_xenconsoled::{Log, Outlets};
use morgana_xenstore_client::{Client, Config};
use morgana_xenstored::{Descriptor, Quota, Rights, Server};

use crate::unserved::NoRings;

/// xenstored, with nobody else's rings.
pub(crate) type Store = Server<NoRings>;

/// xenstored, and a client of its domain 0.
pub(crate) fn store(tasks: &Handle) -> (Store, Client) {
    let server = Server::new(NoRings, tasks, Quota::default());
    server.make("/local/domain");
    let (ours, theirs) = duplex(4096);
    server
        .connect(DomId::DOM0, theirs, Descriptor::NONE, Rights::Control)
        .unwrap();
    let client = Client::with_config(ours, tasks, Config::default()).unwrap();
    (server, client)
}

/// Lets all others have so many turns.
pub(crate) async fn turns(count: usize) {
    for _ in 0..count {
        yield_now().await;
    }
}

/// Where guests' output goes.
#[derive(Clone, Default)]
pub(crate) struct Outlet(pub(crate) Rc<Kept>);

#[derive(Default)]
pub(crate) struct Kept {
    /// By name.
    pub(crate) logs: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) full: Cell<bool>,
    /// The operator's ends.
    pub(crate) terminals: RefCell<BTreeMap<DomId, Duplex>>,
}

pub(crate) struct CountedLog {
    name: String,
    kept: Rc<Kept>,
}

impl Log for CountedLog {
    type Error = &'static str;

    fn poll_add(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, &'static str>> {
        if self.kept.full.get() {
            return Poll::Ready(Err("the disk is full"));
        }
        let mut logs = self.kept.logs.borrow_mut();
        logs.entry(self.name.clone()).or_default().extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }
}

impl Outlets for Outlet {
    type Log = CountedLog;
    type Terminal = Duplex;

    fn open_log(&self, _: DomId, name: &str) -> Option<CountedLog> {
        let name = name.to_owned();
        self.0.logs.borrow_mut().entry(name.clone()).or_default();
        Some(CountedLog {
            name,
            kept: self.0.clone(),
        })
    }

    fn open_terminal(&self, domain: DomId) -> Option<(Duplex, Option<String>)> {
        let (ours, theirs) = duplex(4096);
        self.0.terminals.borrow_mut().insert(domain, theirs);
        Some((ours, Some(format!("/terminal/{}", domain.number()))))
    }
}

/// One end of an event channel in memory.
#[derive(Clone, Default)]
pub(crate) struct Bell {
    own: Rc<Notify>,
    other: Rc<Notify>,
}

impl Bell {
    /// The channel's other end.
    pub(crate) fn other(&self) -> Self {
        Self {
            own: self.other.clone(),
            other: self.own.clone(),
        }
    }
}

impl Channel for Bell {
    fn port(&self) -> Port {
        Port::new(1)
    }

    fn notify(&self) {
        self.other.notify();
    }

    fn count(&self) -> u64 {
        self.own.count()
    }

    fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        self.own.poll_after(seen, cx)
    }
}
