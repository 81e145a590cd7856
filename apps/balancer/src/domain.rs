//! The balancer as a domain of its own.

use alloc::boxed::Box;
use core::net::SocketAddr;

use balancer::{Control, Network, Proxy, Shared, Words, check_back_ends};
use morgana::exec::TimeOfDay;
use morgana::net::{ListenOptions, TcpListener, TcpStream};
use morgana::{Domain, Platform, log};
use morgana_http::{Connect, ConnectFailed};
use morgana_web::{ByStack, serve as serve_http};

/// Connections of clients that wait to be accepted.
const BACKLOG: usize = 256;

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

struct Own {
    stack: ByStack,
    time: TimeOfDay,
}

impl Connect for Own {
    type Stream = TcpStream;

    async fn connect(&self, to: SocketAddr) -> Result<TcpStream, ConnectFailed> {
        self.stack.connect(to).await
    }
}

impl Network for Own {
    fn unix_seconds(&self) -> Option<u64> {
        Some(self.time.now().unix_seconds())
    }
}

pub(crate) async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let words = Words::parse(domain.command_line())?;
    let network = domain.network().await?;
    let stack = network.stack();
    let own = Own {
        stack: ByStack(stack.clone()),
        time: TimeOfDay::new(domain.platform().clone(), domain.timers()),
    };
    let shared = Shared::new(own, domain.tasks().clone(), words.settings.clone());
    let now = domain.timers().now();
    for (name, address) in &words.backends {
        shared.policy().add(name, *address, now)?;
    }
    let options = ListenOptions {
        backlog: BACKLOG,
        ..ListenOptions::default()
    };
    let clients = TcpListener::bind(stack, words.port, options)?;
    let control = TcpListener::bind(stack, words.control, ListenOptions::default())?;
    domain.tasks().spawn(check_back_ends(shared.clone()))?;
    let controlling = serve_http(domain.clone(), control, Control::server(shared.clone()));
    domain.tasks().spawn(controlling)?;
    log::info!(
        "balancing port {}, control on port {}",
        words.port,
        words.control
    );
    match serve_http(domain, clients, Proxy::server(shared)).await {}
}
