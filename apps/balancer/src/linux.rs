//! The balancer as a Linux program, over the host's sockets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use balancer::{Control, HELP, Network, Proxy, Shared, Words, check_back_ends};
use morgana::CommandLine;
use morgana_http::{Connect, ConnectFailed};
use morgana_sockets::{Host, Listener, Stream, run, serve as serve_http};

const USAGE: &str = "\
Balances HTTP requests over back ends.

Usage: balancer [--forward HOST:PORT]... [WORD]...

Options:
  --forward HOST:PORT  listen at port HOST instead of PORT (as when it runs as a domain)
  --help               this text

Words:
  listen=ADDRESS     the address to listen at (127.0.0.1)
";

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

/// What the arguments say.
struct Arguments {
    line: CommandLine,
    /// Ports of the host instead of those of the words.
    forwards: Vec<(u16, u16)>,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let (mut words, mut forwards) = (Vec::new(), Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--" => words.extend(arguments.by_ref()),
                "--forward" => {
                    let value = arguments.next().unwrap_or_default();
                    let ports = value.split_once(':');
                    let ports = ports
                        .and_then(|(host, port)| Some((host.parse().ok()?, port.parse().ok()?)));
                    forwards.push(ports.ok_or("--forward wants HOST:PORT")?);
                }
                word if word.contains('=') => words.push(argument),
                other => return Err(format!("{other}: neither an option nor KEY=VALUE")),
            }
        }
        Ok(Some(Self {
            line: CommandLine::new(&words.join(" ")),
            forwards,
        }))
    }

    /// The port of the host for one of the words.
    fn port(&self, of: u16) -> u16 {
        let mut forwards = self.forwards.iter();
        let forward = forwards.find(|(_, port)| *port == of);
        forward.map_or(of, |(host, _)| *host)
    }
}

pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{USAGE}{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error),
    };
    match run(|host| serve(host, arguments)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("balancer: {why}");
    ExitCode::FAILURE
}

async fn serve(host: Host, arguments: Arguments) -> Result<(), String> {
    let words = Words::parse(&arguments.line).map_err(|error| error.to_string())?;
    let at = arguments
        .line
        .parse("listen", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let at = at.map_err(|error| error.to_string())?;
    let tasks = host.tasks();
    let shared = Shared::new(Sockets(host.clone()), tasks.clone(), words.settings.clone());
    for (name, address) in &words.backends {
        let added = shared.policy().add(name, *address, host.now());
        added.map_err(|error| format!("{name}: {error}"))?;
    }
    let bind = |port| {
        let address = SocketAddr::new(at, arguments.port(port));
        Listener::bind(&host, address)
            .map_err(|error| format!("cannot listen at {address}: {error}"))
    };
    let (clients, control) = (bind(words.port)?, bind(words.control)?);
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
