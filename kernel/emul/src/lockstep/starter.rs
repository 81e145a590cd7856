//! Domains that are started by domains.

use core::fmt;
use std::cell::RefCell;
use std::rc::Rc;

use morgana_exec::Handle;
use morgana_hal::Exit;

use crate::{Domain, EmulPlatform, Lockstep};

/// Starts domains of a [`Lockstep`] from within; see [`Lockstep::starter`].
#[derive(Clone, Default)]
pub struct Starter(Rc<RefCell<Vec<Start>>>);

pub(super) type Start = Box<dyn FnOnce(&mut Lockstep)>;

impl Starter {
    /// Lets a domain of the machine take part from the next turn on; as [`Lockstep::start`].
    pub fn start<M, F>(&self, domain: Domain, main: M)
    where
        M: FnOnce(EmulPlatform, Handle) -> F + 'static,
        F: Future<Output = Exit> + 'static,
    {
        let start = Box::new(|world: &mut Lockstep| world.start(domain, main));
        self.0.borrow_mut().push(start);
    }

    pub(super) fn take(&self) -> Vec<Start> {
        self.0.take()
    }
}

impl fmt::Debug for Starter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.0.borrow().len();
        f.debug_struct("Starter")
            .field("waiting", &waiting)
            .finish()
    }
}
