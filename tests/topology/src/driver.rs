//! A driver domain, which serves what it is told to.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use morgana_exec::{Receiver, Sender, channel};
use morgana_hal::DomId;
use morgana_xenstore_client::Client;

use crate::echo::echo;
use crate::medium::{Medium, serve};
use crate::{Inside, World};

/// A driver domain, from outside.
pub struct Driver {
    /// What is inside.
    pub inside: Inside,
    services: Sender<Service>,
    violations: Rc<Cell<u64>>,
}

/// What a driver domain does for one device.
type Service = Box<dyn FnOnce(Inside, Client) -> Pin<Box<dyn Future<Output = ()>>>>;

/// Starts a driver domain.
pub fn driver(world: &mut World) -> Driver {
    let (services, wanted) = channel(64);
    let inside = world.start(move |inside| main(inside, wanted));
    Driver {
        inside,
        services,
        violations: Rc::default(),
    }
}

impl Driver {
    /// Serves the network device of a domain from now on, until its keys go: every frame goes back to where it came from.
    pub fn echo(&self, front: DomId) {
        let violations = self.violations.clone();
        self.serve(Box::new(move |inside, client| {
            Box::pin(echo(inside, client, front, violations))
        }));
    }

    /// Serves the disk of a domain from now on, until its keys go.
    pub fn disk(&self, front: DomId, medium: Medium) {
        let violations = self.violations.clone();
        self.serve(Box::new(move |inside, client| {
            Box::pin(serve(inside, client, front, medium, violations))
        }));
    }

    /// How many connections were ended since the front end broke the protocol.
    pub fn violations(&self) -> u64 {
        self.violations.get()
    }

    fn serve(&self, service: Service) {
        let sent = self.services.try_send(service);
        assert!(sent.is_ok(), "few devices come at once");
    }
}

async fn main(inside: Inside, wanted: Receiver<Service>) {
    let client = inside.xenstore();
    while let Some(service) = wanted.receive().await {
        let task = service(inside.clone(), client.clone());
        inside.handle.spawn(task).expect("there are few tasks");
    }
}
