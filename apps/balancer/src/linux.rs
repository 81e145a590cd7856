//! The balancer as a Linux program, over the host's sockets.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use balancer::{Control, HELP, Network, Proxy, Shared, Words, check_back_ends};
use morgana_http::{Connect, ConnectFailed};
use morgana_native::{Arguments, Disks, Program};
use morgana_sockets::{Host, Listener, Stream, serve as serve_http};

const PROGRAM: Program = Program {
    name: "balancer",
    summary: "Balances HTTP requests over back ends.",
    disks: Disks::None,
    words: HELP,
};

struct Sockets(Host);

impl Connect for Sockets {
    type Stream = Stream;

    async fn connect(&self, to: SocketAddr) -> Result<Stream, ConnectFailed> {
        self.0.connect(to).await
    }
}

impl Network for Sockets {
    fn unix_seconds(&self) -> Option<u64> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs())
    }
}

pub(crate) fn main() -> ExitCode {
    morgana_native::main(&PROGRAM, serve)
}

async fn serve(host: Host, arguments: Arguments) -> Result<(), String> {
    let words = Words::parse(arguments.command_line()).map_err(|error| error.to_string())?;
    let tasks = host.tasks();
    let shared = Shared::new(Sockets(host.clone()), tasks.clone(), words.settings.clone());
    for (name, address) in &words.backends {
        let added = shared.policy().add(name, *address, host.now());
        added.map_err(|error| format!("{name}: {error}"))?;
    }
    let clients = arguments.listen(&host, words.port)?;
    let control = arguments.listen(&host, words.control)?;
    let told = |listener: &Listener| listener.local_addr().map_err(|error| error.to_string());
    eprintln!(
        "balancing http://{}/, control at http://{}/",
        told(&clients)?,
        told(&control)?
    );
    let too_many = |_| "too many tasks".to_string();
    tasks
        .spawn(check_back_ends(shared.clone()))
        .map_err(too_many)?;
    let controlling = serve_http(host.clone(), control, Control::server(shared.clone()));
    tasks.spawn(controlling).map_err(too_many)?;
    match serve_http(host.clone(), clients, Proxy::server(shared)).await {}
}
