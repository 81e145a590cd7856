//! The balancer as a domain of its own.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::net::SocketAddr;

use balancer::{Control, Network, Proxy, Shared, Words, check_back_ends};
use morgana::exec::TimeOfDay;
use morgana::net::{ConnectOptions, ListenOptions, Stack, TcpListener, TcpStream};
use morgana::{Domain, Platform, log};
use morgana_http::{Connect, ConnectFailed, Handler, Server};

/// Connections of clients that wait to be accepted.
const BACKLOG: usize = 256;

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

struct Own {
    stack: Stack,
    time: TimeOfDay,
}

impl Connect for Own {
    type Stream = TcpStream;

    async fn connect(&self, to: SocketAddr) -> Result<TcpStream, ConnectFailed> {
        let connecting = TcpStream::connect(&self.stack, to, ConnectOptions::default());
        connecting.await.map_err(|_| ConnectFailed)
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
        stack: stack.clone(),
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
    let controlling = accept(domain.clone(), control, Control::server(shared.clone()));
    domain.tasks().spawn(controlling)?;
    log::info!(
        "balancing port {}, control on port {}",
        words.port,
        words.control
    );
    accept(domain, clients, Proxy::server(shared)).await;
    Ok(())
}

/// Accepts connections, and gives each a task.
async fn accept<P: Platform, H: Handler + 'static>(
    domain: Domain<P>,
    listener: TcpListener,
    server: Rc<Server<H>>,
) {
    loop {
        let mut stream = listener.accept().await;
        let server = Rc::clone(&server);
        let served = domain.tasks().spawn(async move {
            let client = stream.remote_addr().map(|address| address.ip());
            let end = server.serve_from(client, &mut stream).await;
            log::debug!("connection: {end}");
        });
        if let Err(error) = served {
            log::warn!("connection refused: {error}");
        }
    }
}
