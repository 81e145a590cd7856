//! What is known of each domain while it sends or reads.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};

use morgana_exec::Seldom;
use morgana_hal::{DomId, Instant};

use crate::pace::Pace;
use crate::{Options, Rate};

/// All domains of which something is to be remembered.
#[derive(Debug, Default)]
pub(crate) struct Domains(RefCell<BTreeMap<DomId, Rc<Domain>>>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Domain {
    /// How fast it sends, through all its connections.
    pub(crate) pace: RefCell<Pace>,
    /// Its trouble that is told seldom.
    pub(crate) troubles: RefCell<Seldom>,
    /// The same, of being too fast.
    pub(crate) slowed: RefCell<Seldom>,
    connections: Cell<usize>,
}

/// One of a domain's connections, which counts while this is there.
#[derive(Debug)]
pub(crate) struct Counted(Rc<Domain>);

impl Domains {
    /// A further connection of the domain, unless there are as many as there may be.
    pub(crate) fn connect(
        &self,
        id: DomId,
        options: &Options,
        now: Instant,
    ) -> Option<(Rc<Domain>, Counted)> {
        let mut domains = self.0.borrow_mut();
        // What a domain owes is remembered, also while it has no connection; what it does not owe is not.
        domains.retain(|_, domain| {
            domain.connections.get() > 0 || !domain.pace.borrow().is_rested(now)
        });
        let most = match id {
            DomId::DOM0 => options.of_a_domain.max(options.connections / 2),
            _ => options.of_a_domain,
        };
        let domain = domains
            .entry(id)
            .or_insert_with(|| Domain::new(options.rate));
        if domain.connections.get() >= most {
            return None;
        }
        domain.connections.set(domain.connections.get() + 1);
        Some((domain.clone(), Counted(domain.clone())))
    }
}

impl Domain {
    fn new(rate: Rate) -> Rc<Self> {
        Rc::new(Self {
            pace: RefCell::new(Pace::new(rate)),
            troubles: RefCell::default(),
            slowed: RefCell::default(),
            connections: Cell::new(0),
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.set(self.0.connections.get() - 1);
    }
}
