//! Back ends, a network between them and the balancer, and clients.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use balancer::{Control, Network, Proxy, Settings, Shared, check_back_ends};
use morgana_exec::{Executor, Handle, ManualClock, Task, Timers};
use morgana_http::{
    Ask, BodyError, Client, ClientLimits, Connect, ConnectFailed, EntityTag, Handler, Length,
    Limits, Method, Methods, OutputError, Portion, Read, Request, Response, Server, Status,
    Unfinished, UnixTime, Write, read_to_end,
};

use crate::stream::{Stream, pair};

/// How a back end is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    Well,
    /// Nothing is there: connections are refused.
    Dead,
    /// Nothing comes back, neither from connecting nor on a connection.
    Vanished,
}

/// The application of a back end.
pub(crate) struct App {
    pub(crate) name: String,
    timers: Timers,
    pub(crate) mood: Cell<Mood>,
    /// Requests that came, as method, path and fields.
    pub(crate) seen: RefCell<Vec<String>>,
    pub(crate) posts: Cell<u32>,
    tasks: RefCell<Vec<Task<()>>>,
}

impl App {
    async fn may_answer(&self) {
        if self.mood.get() == Mood::Vanished {
            pending::<()>().await;
        }
    }
}

/// A handler that is shared.
struct Served(Rc<App>);

impl Handler for Served {
    const STREAMS: bool = true;

    fn methods(&self, _request: &Request<'_>) -> Methods {
        Methods::READ_ONLY
            .with(Method::Post)
            .with(Method::Put)
            .with(Method::Delete)
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let app = &self.0;
        if request.path() == "/healthz" {
            app.may_answer().await;
            return Response::ok("text/plain", b"ok");
        }
        let mut seen = format!("{} {}", request.method().name(), request.path());
        if let Some(query) = request.query() {
            seen += &format!("?{query}");
        }
        for (name, value) in request.headers() {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            seen += &format!("\n{}: {}", text(name), text(value));
        }
        app.seen.borrow_mut().push(seen);
        if request.method() == Method::Post {
            app.posts.set(app.posts.get() + 1);
        }
        let millis = request.query().and_then(|query| query.parse().ok());
        app.timers
            .sleep(Duration::from_millis(millis.unwrap_or(0)))
            .await;
        app.may_answer().await;
        match request.path() {
            "/echo" => match read_to_end(body, 8 << 20).await {
                Ok(bytes) => Response::ok("application/octet-stream", bytes),
                Err(_) => Response::text(Status::BAD_REQUEST),
            },
            "/chunks" => Response::streamed("text/plain", Length::Unknown),
            "/long" => Response::streamed("text/plain", Length::Known(3_000_000)),
            "/tagged" => Response::ok("text/plain", b"tagged").etag(EntityTag::strong("x")),
            "/broken" => Response::text(Status::INTERNAL_SERVER_ERROR),
            "/fields" => Response::ok("text/plain", b"fields").fields(&[
                ("X-One", "1"),
                ("Set-Cookie", "a"),
                ("Set-Cookie", "b"),
                ("Keep-Alive", "timeout=5"),
            ]),
            _ => Response::ok("text/plain", app.name.as_bytes()),
        }
    }

    async fn stream(
        &self,
        request: &Request<'_>,
        _portion: Portion<'_>,
        content: &mut impl Write<Error = OutputError>,
    ) -> Result<(), Unfinished> {
        for _ in 0..300 {
            content.write_all(&[b'x'; 10_000]).await?;
            // It is long enough for somebody to die meanwhile.
            if request.query().is_some() {
                self.0.timers.sleep(Duration::from_millis(1)).await;
            }
        }
        Ok(())
    }

    fn time(&self) -> Option<UnixTime> {
        Some(UnixTime(0))
    }
}

/// The network: what is where.
#[derive(Clone)]
pub(crate) struct Net {
    apps: Rc<RefCell<BTreeMap<SocketAddr, Rc<App>>>>,
    tasks: Handle,
}

impl Connect for Net {
    type Stream = Stream;

    async fn connect(&self, to: SocketAddr) -> Result<Stream, ConnectFailed> {
        let app = self.apps.borrow().get(&to).cloned();
        let Some(app) = app.filter(|app| app.mood.get() != Mood::Dead) else {
            return Err(ConnectFailed);
        };
        app.may_answer().await;
        let (inside, mut outside) = pair();
        let limits = Limits {
            body: 16 << 20,
            ..Limits::DEFAULT
        };
        let server = Server::new(Served(app.clone()), self.tasks.timers(), limits);
        let task = self.tasks.spawn(async move {
            server.serve(&mut outside).await;
        });
        app.tasks.borrow_mut().push(task.expect("room"));
        Ok(inside)
    }
}

impl Network for Net {
    fn unix_seconds(&self) -> Option<u64> {
        Some(1)
    }
}

/// Everything.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) net: Net,
    pub(crate) shared: Shared<Net>,
    proxy: Rc<Server<Proxy<Net>>>,
    control: Rc<Server<Control<Net>>>,
}

/// What a client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) code: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) content: Vec<u8>,
}

impl Got {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &value[..])
    }
}

/// Runs a test in a world with back ends of these names, all of them healthy.
pub(crate) fn run<F: Future<Output = ()> + 'static>(
    names: &[&str],
    settings: Settings,
    test: impl FnOnce(World) -> F + 'static,
) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let net = Net {
        apps: Rc::default(),
        tasks: tasks.clone(),
    };
    let shared = Shared::new(net.clone(), tasks.clone(), settings);
    let world = World {
        proxy: Proxy::server(shared.clone()),
        control: Control::server(shared.clone()),
        net,
        shared: shared.clone(),
    };
    let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
    for name in &names {
        let address = world.start(name);
        let now = tasks.timers().now();
        shared.policy().add(name, address, now).expect("room");
    }
    drop(tasks.spawn(check_back_ends(shared)));
    let main = async move {
        world.sleep(50).await;
        test(world).await;
    };
    executor.block_on(main, &mut clock.idle(), &clock);
}

impl World {
    /// Starts a back end: its address.
    pub(crate) fn start(&self, name: &str) -> SocketAddr {
        let mut apps = self.net.apps.borrow_mut();
        let address = SocketAddr::from(([10, 0, 0, apps.len() as u8 + 2], 80));
        let app = App {
            name: name.into(),
            timers: self.net.tasks.timers(),
            mood: Cell::new(Mood::Well),
            seen: RefCell::default(),
            posts: Cell::default(),
            tasks: RefCell::default(),
        };
        apps.insert(address, Rc::new(app));
        address
    }

    pub(crate) fn app(&self, name: &str) -> Rc<App> {
        let apps = self.net.apps.borrow();
        let mut found = apps.values().filter(|app| app.name == name);
        found.next().expect("a back end").clone()
    }

    /// Kills a back end: its connections break, and there are no others.
    pub(crate) fn kill(&self, name: &str) {
        let app = self.app(name);
        app.mood.set(Mood::Dead);
        for task in app.tasks.take() {
            task.abort();
        }
    }

    pub(crate) async fn sleep(&self, millis: u64) {
        let timers = self.net.tasks.timers();
        timers.sleep(Duration::from_millis(millis)).await;
    }

    pub(crate) fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> Task<()> {
        self.net.tasks.spawn(future).expect("room")
    }

    /// A connection of a client.
    pub(crate) fn connect(&self) -> Client<Stream> {
        Client::new(
            self.raw(),
            self.net.tasks.timers(),
            ClientLimits {
                head_time: Duration::from_secs(60),
                ..ClientLimits::DEFAULT
            },
        )
    }

    /// The same as a mere stream.
    pub(crate) fn raw(&self) -> Stream {
        let (inside, mut outside) = pair();
        let proxy = self.proxy.clone();
        drop(self.spawn(async move {
            let peer = IpAddr::from([192, 0, 2, 1]);
            proxy.serve_from(Some(peer), &mut outside).await;
        }));
        inside
    }

    /// Asks on a connection of its own.
    pub(crate) async fn get(&self, target: &str) -> Got {
        ask(&mut self.connect(), &Ask::get("site", target), &[]).await
    }

    pub(crate) async fn post(&self, target: &str, content: &[u8]) -> Got {
        let ask_it = Ask {
            method: Method::Post,
            ..Ask::get("site", target)
        };
        ask(&mut self.connect(), &ask_it, content).await
    }

    /// Asks the control interface.
    pub(crate) async fn control(&self, method: Method, target: &str, content: &str) -> Got {
        let (inside, mut outside) = pair();
        let control = self.control.clone();
        drop(self.spawn(async move {
            control.serve(&mut outside).await;
        }));
        let timers = self.net.tasks.timers();
        let mut client = Client::new(inside, timers, ClientLimits::DEFAULT);
        let ask_it = Ask {
            method,
            ..Ask::get("control", target)
        };
        ask(&mut client, &ask_it, content.as_bytes()).await
    }
}

/// Asks, and reads the answer to its end.
pub(crate) async fn ask(client: &mut Client<Stream>, ask: &Ask<'_>, content: &[u8]) -> Got {
    try_ask(client, ask, content).await.expect("an answer")
}

pub(crate) async fn try_ask(
    client: &mut Client<Stream>,
    ask: &Ask<'_>,
    content: &[u8],
) -> Result<Got, morgana_http::ClientError> {
    let mut reply = client.send(ask, content).await?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let head = reply.head();
    let fields = head.headers().iter();
    let fields = fields.map(|(name, value)| (text(name), text(value)));
    let (code, fields) = (head.code(), fields.collect());
    let content = reply.read_to_end(16 << 20).await?;
    Ok(Got {
        code,
        fields,
        content,
    })
}
