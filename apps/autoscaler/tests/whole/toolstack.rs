//! A toolstack in memory, by the protocol of the real one.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use morgana_exec::Timers;
use morgana_http::{
    BodyError, Handler, Method, Methods, Read, Request, Response, Status, read_to_end,
};
use serde_json::{Value, json};

use crate::world::{Net, Web};

/// How long making a machine takes, and until it serves.
const MAKING: Duration = Duration::from_millis(80);
const BOOTING: Duration = Duration::from_millis(60);

/// What the toolstack does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// There is no memory for another machine.
    Full,
    /// Its answers make no sense.
    Mad,
    /// It says nothing.
    Silent,
}

/// The machines of a host.
#[derive(Clone)]
pub(crate) struct Toolstack(Rc<Inner>);

struct Inner {
    net: Net,
    machines: RefCell<BTreeMap<String, (String, SocketAddr)>>,
    mood: Cell<Mood>,
    asked: Cell<u32>,
}

impl Toolstack {
    pub(crate) fn new(net: Net) -> Self {
        Self(Rc::new(Inner {
            net,
            machines: RefCell::default(),
            mood: Cell::default(),
            asked: Cell::default(),
        }))
    }

    /// The names of the machines that there are.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.machines.borrow().keys().cloned().collect()
    }

    /// How often a machine was asked for.
    pub(crate) fn asked(&self) -> u32 {
        self.0.asked.get()
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.0.mood.set(mood);
    }

    /// A machine is gone, by somebody else's hand.
    pub(crate) fn kill(&self, name: &str) {
        let killed = self.0.machines.borrow_mut().remove(name);
        let (_, address) = killed.expect("a machine of this name");
        self.0.net.stop(address);
    }

    /// A machine crashes, and stays so.
    pub(crate) fn crash(&self, name: &str) {
        let mut machines = self.0.machines.borrow_mut();
        let (state, address) = machines.get_mut(name).expect("a machine of this name");
        *state = "crashed".into();
        self.0.net.stop(*address);
    }

    fn timers(&self) -> Timers {
        self.0.net.timers()
    }

    async fn create(&self, asked: &Value) -> (Status, Value) {
        self.0.asked.set(self.0.asked.get() + 1);
        let name = asked["name"].as_str().expect("a name").to_owned();
        let extra = asked["extra"].as_str().expect("words");
        let word = extra.split(' ').find_map(|word| word.strip_prefix("ip="));
        let (ip, _) = word
            .and_then(|word| word.split_once('/'))
            .expect("an address");
        let address = SocketAddr::new(ip.parse::<IpAddr>().expect("an address"), 80);
        self.timers().sleep(MAKING).await;
        if self.0.mood.get() == Mood::Full {
            let why = json!({"error": "no memory", "kind": "out-of-memory"});
            return (Status::SERVICE_UNAVAILABLE, why);
        }
        let mut machines = self.0.machines.borrow_mut();
        if machines.contains_key(&name) {
            return (
                Status::CONFLICT,
                json!({"error": "in use", "kind": "name-in-use"}),
            );
        }
        machines.insert(name, ("running".into(), address));
        let (net, timers) = (self.0.net.clone(), self.timers());
        let booting = async move {
            timers.sleep(BOOTING).await;
            net.serve(address, Web(timers.clone()));
        };
        drop(self.0.net.spawn(booting));
        (Status::OK, json!({"ok": {"domain": 7}}))
    }

    async fn act(&self, asked: &Value) -> (Status, Value) {
        match asked["do"].as_str() {
            Some("list") => {
                let machines = self.0.machines.borrow();
                let list = machines.iter().map(
                    |(name, (state, _))| json!({"id": 1, "name": name, "state": state, "vcpus": 1}),
                );
                let dom0 = [json!({"id": 0, "name": "Domain-0", "state": "running"})];
                (
                    Status::OK,
                    json!({"ok": dom0.into_iter().chain(list).collect::<Vec<_>>()}),
                )
            }
            Some("create") => self.create(asked).await,
            Some("destroy") => {
                let name = asked["domain"].as_str().expect("a name");
                let gone = self.0.machines.borrow_mut().remove(name);
                let Some((_, address)) = gone else {
                    return (
                        Status::NOT_FOUND,
                        json!({"error": "none", "kind": "no-such-domain"}),
                    );
                };
                self.0.net.stop(address);
                self.timers().sleep(MAKING).await;
                (Status::OK, json!({"ok": null}))
            }
            other => panic!("{other:?}"),
        }
    }
}

impl Handler for Toolstack {
    fn methods(&self, _: &Request<'_>) -> Methods {
        Methods::NONE.with(Method::Post)
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        assert_eq!(
            request.headers().first("Authorization"),
            Some(&b"Bearer secret"[..])
        );
        let bytes = read_to_end(body, 1 << 16).await.expect("a request");
        let asked: Value = serde_json::from_slice(&bytes).expect("JSON");
        match self.0.mood.get() {
            Mood::Mad => return Response::ok("application/json", b"{\"ok\":[{\"name\":7}"),
            Mood::Silent => self.timers().sleep(Duration::from_secs(3600)).await,
            Mood::Well | Mood::Full => {}
        }
        let (status, told) = self.act(&asked).await;
        Response::empty(status).content("application/json", told.to_string().into_bytes())
    }
}
