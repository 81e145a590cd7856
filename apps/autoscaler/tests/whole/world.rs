//! What is where, and who asks.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use autoscaler::{Panel, Service, Words};
use balancer::{Control, Network, Proxy, Settings, Shared, check_back_ends};
use morgana::CommandLine;
use morgana_exec::{Executor, Handle, ManualClock, Task, Timers};
use morgana_http::{
    BodyError, Connect, ConnectFailed, Handler, Limits, Origin, Read, Request, Response, Server,
};
use serde_json::Value;

use crate::stream::{Stream, pair};
use crate::toolstack::Toolstack;

/// A web machine: an answer takes it 20 ms.
pub(crate) struct Web(pub(crate) Timers);

impl Handler for Web {
    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        if request.path() != "/healthz" {
            self.0.sleep(Duration::from_millis(20)).await;
        }
        Response::ok("text/plain", b"ok")
    }
}

type Accept = Rc<dyn Fn(Stream) -> Task<()>>;

/// The network: what is where.
#[derive(Clone)]
pub(crate) struct Net {
    places: Rc<RefCell<BTreeMap<SocketAddr, Place>>>,
    tasks: Handle,
}

struct Place {
    accept: Accept,
    connections: Rc<RefCell<Vec<Task<()>>>>,
}

impl Net {
    pub(crate) fn timers(&self) -> Timers {
        self.tasks.timers()
    }

    pub(crate) fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> Task<()> {
        self.tasks.spawn(future).expect("room for a task")
    }

    /// From now on this handler serves this address.
    pub(crate) fn serve<H: Handler + 'static>(&self, address: SocketAddr, handler: H) {
        self.serve_by(
            address,
            Rc::new(Server::new(handler, self.timers(), Limits::DEFAULT)),
        );
    }

    fn serve_by<H: Handler + 'static>(&self, address: SocketAddr, server: Rc<Server<H>>) {
        let net = self.clone();
        let accept: Accept = Rc::new(move |mut stream| {
            let server = Rc::clone(&server);
            net.spawn(async move {
                server.serve(&mut stream).await;
            })
        });
        let connections = Rc::default();
        self.places.borrow_mut().insert(
            address,
            Place {
                accept,
                connections,
            },
        );
    }

    /// Nobody is there any more: connections break.
    pub(crate) fn stop(&self, address: SocketAddr) {
        let Some(place) = self.places.borrow_mut().remove(&address) else {
            return;
        };
        for task in place.connections.take() {
            task.abort();
        }
    }
}

impl Connect for Net {
    type Stream = Stream;

    async fn connect(&self, to: SocketAddr) -> Result<Stream, ConnectFailed> {
        let places = self.places.borrow();
        let place = places.get(&to).ok_or(ConnectFailed)?;
        let (ours, theirs) = pair();
        let task = (place.accept)(theirs);
        place.connections.borrow_mut().push(task);
        Ok(ours)
    }
}

impl Network for Net {
    fn unix_seconds(&self) -> Option<u64> {
        None
    }
}

/// Everything.
pub(crate) struct World {
    pub(crate) net: Net,
    pub(crate) toolstack: Toolstack,
    controller: Cell<Option<Service>>,
    balancing: Cell<Option<Task<()>>>,
}

const WORDS: &str = "balancer=10.0.0.5:8080 toolstack=10.0.0.1:7070 token=secret web=web.cfg web-addresses=10.0.0.100+20/24 \
                     web-most=8 web-rate=50 web-requests=4 calm=5 step=1";

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Runs a scene.
pub(crate) fn run<F: Future<Output = ()> + 'static>(scene: impl FnOnce(Rc<World>) -> F + 'static) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let net = Net {
        places: Rc::default(),
        tasks,
    };
    let toolstack = Toolstack::new(net.clone());
    net.serve(at("10.0.0.1:7070"), toolstack.clone());
    let world = Rc::new(World {
        net,
        toolstack,
        controller: Cell::default(),
        balancing: Cell::default(),
    });
    executor.block_on(
        async move {
            world.begin_balancer();
            world.begin_controller();
            scene(Rc::clone(&world)).await;
        },
        &mut clock.idle(),
        &clock,
    );
}

impl World {
    /// A balancer that knows nothing takes the place of the one that is there.
    pub(crate) fn begin_balancer(&self) {
        let addresses = [at("10.0.0.5:80"), at("10.0.0.5:8080")];
        for address in addresses {
            self.net.stop(address);
        }
        let shared = Shared::new(
            self.net.clone(),
            self.net.tasks.clone(),
            Settings::default(),
        );
        self.net
            .serve_by(addresses[0], Proxy::server(shared.clone()));
        self.net
            .serve_by(addresses[1], Control::server(shared.clone()));
        let checking = self.net.tasks.spawn(check_back_ends(shared)).expect("room");
        if let Some(old) = self.balancing.replace(Some(checking)) {
            old.abort();
        }
    }

    /// A controller that knows nothing takes the place of the one that is there.
    pub(crate) fn begin_controller(&self) {
        // Dropping its supervision ends its actors.
        drop(self.controller.take());
        let words = Words::parse(&CommandLine::new(WORDS)).expect("sensible words");
        let service = autoscaler::start(&words, &self.net, &self.net.tasks, 1).expect("room");
        let panel = Panel::server(service.recorder.clone(), self.net.timers());
        self.net.stop(at("10.0.0.6:80"));
        self.net.serve_by(at("10.0.0.6:80"), panel);
        self.controller.set(Some(service));
    }

    pub(crate) async fn sleep(&self, seconds: f64) {
        self.net
            .timers()
            .sleep(Duration::from_secs_f64(seconds))
            .await;
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..2_000 {
            if is_so(self) {
                return;
            }
            self.sleep(0.05).await;
        }
        panic!("never {what}: {:?}", self.toolstack.names());
    }

    /// So many requests a second for so long: how many were answered with 200, and how many were not.
    pub(crate) async fn load(&self, rate: u32, seconds: u32) -> (u32, u32) {
        let (well, badly) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let mut asked = Vec::new();
        for _ in 0..rate * seconds {
            let (net, well, badly) = (self.net.clone(), well.clone(), badly.clone());
            asked.push(self.net.spawn(async move {
                let time = Duration::from_secs(20);
                let site = Origin::new(net.clone(), at("10.0.0.5:80"), net.timers(), time);
                match site.get("/", 1000).await {
                    Ok(answer) if answer.status.code() == 200 => well.set(well.get() + 1),
                    _ => badly.set(badly.get() + 1),
                }
            }));
            self.sleep(1.0 / f64::from(rate)).await;
        }
        for task in asked {
            task.await;
        }
        (well.get(), badly.get())
    }

    /// What the controller tells, and of its last sample.
    pub(crate) async fn told(&self) -> (Value, Value) {
        let time = Duration::from_secs(5);
        let panel = Origin::new(self.net.clone(), at("10.0.0.6:80"), self.net.timers(), time);
        let answer = panel.get("/series", 1 << 20).await.expect("an answer");
        let told: Value = serde_json::from_slice(&answer.content).expect("JSON");
        let last = told["samples"]
            .as_array()
            .and_then(|samples| samples.last());
        let last = last.cloned().unwrap_or_default();
        (told, last)
    }
}
