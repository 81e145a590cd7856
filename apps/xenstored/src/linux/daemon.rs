//! The daemon: one server, its local clients, and the domains of the machine.

use core::convert::Infallible;
use core::future::{pending, poll_fn};
use core::time::Duration;
use std::error::Error;
use std::os::unix::net::UnixListener;
use std::path::Path;

use morgana_daemon::{Ready, pidfile};
use morgana_exec::{Executor, Handle, select};
use morgana_hal::{DomId, Events, Idle, Platform, Virq};
use morgana_linux::{Linux, LinuxClock, LinuxDomains, ReactorIdle};
use morgana_reactor::{Direction, HasReactor, Reactor, Source};
use morgana_ring::{ByteLayout, Side};
use morgana_xenstored::{Rights, Ring, Rings, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::host::NoXen;
use super::socket::{self, Stream};
use super::xen::XenRings;
use crate::arguments::{Domains, Options, Output};
use crate::{arguments, serving};

/// Local clients at once. A further one finds its connection closed.
const MAX_LOCAL_CLIENTS: usize = 1024;

/// After an `accept` that failed, such as for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until the process is ended.
pub(crate) fn run(options: &Options, ready: Ready) -> Result<(), Box<dyn Error>> {
    allow_descriptors();
    let lock = options
        .pid_file
        .as_deref()
        .map(Path::new)
        .map(pidfile::write)
        .transpose();
    let _lock = lock.map_err(|error| format!("the pid file: {error}"))?;
    match options.domains {
        Domains::None => {
            let idle = ReactorIdle::new()?;
            let reactor = idle.reactor().clone();
            serve(options, ready, NoXen, &reactor, idle, |_| {
                ready.tell()?;
                Ok(pending())
            })
        }
        Domains::Served => {
            let (platform, idle) = Linux::open()?;
            let domains = LinuxDomains::open()?;
            let reactor = platform.reactor().clone();
            // Bound before anything else, so that no end is missed.
            let ends = platform.events().virq(Virq::DomainException)?;
            let rings = XenRings::new(platform.clone(), domains);
            serve(options, ready, rings, &reactor, idle, |server| {
                let (page, channel) = platform.own_xenstore_ring()?;
                let ring = Ring::attach(page, channel, ByteLayout::XENSTORE, Side::Server)?;
                serving::serve_domain_0(server, ring)?;
                ready.tell()?;
                Ok(serving::follow_ends(server.clone(), ends, DomId::DOM0))
            })
        }
    }
}

/// Serves local clients at the socket; beside that runs what `begin` makes.
fn serve<R: Rings, F: Future<Output = Infallible> + 'static>(
    options: &Options,
    ready: Ready,
    rings: R,
    reactor: &Reactor,
    mut idle: impl Idle,
    begin: impl FnOnce(&Server<R>) -> Result<F, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let server = serving::server(rings, &tasks, options);
    let path = socket::path();
    let named = |error| format!("{}: {error}", path.display());
    let listener = socket::listen(&path, reactor).map_err(named)?;
    let beside = begin(&server)?;
    announce(&path, options.domains);
    if options.output == Output::ProcessId && ready == Ready::Nobody {
        println!("{}", std::process::id());
    }
    let accepting = accept(server, listener, reactor.clone(), tasks);
    let both = async move {
        select(accepting, beside).await;
    };
    executor.block_on(both, &mut idle, &LinuxClock);
    Ok(())
}

fn announce(path: &Path, domains: arguments::Domains) {
    let what = match domains {
        Domains::Served => "and the rings of domains",
        Domains::None => "only",
    };
    log::info!("serves {} {what}", path.display());
}

/// Takes local clients, one after the other. They are the control domain's programs.
async fn accept<R: Rings>(
    server: Server<R>,
    listener: Source<UnixListener>,
    reactor: Reactor,
    tasks: Handle,
) -> Infallible {
    loop {
        let accepted =
            poll_fn(|cx| listener.poll_io(Direction::Read, cx, |listener| listener.accept())).await;
        let stream = accepted.and_then(|(stream, _)| Stream::new(stream, &reactor));
        match stream {
            Err(error) => {
                log::warn!("a local client cannot be taken: {error}");
                tasks.timers().sleep(PAUSE).await;
            }
            Ok(_) if server.local_clients() >= MAX_LOCAL_CLIENTS => {
                log::warn!("a local client is refused: {MAX_LOCAL_CLIENTS} are there already");
            }
            Ok(stream) => {
                if let Err(error) = server.connect(DomId::DOM0, stream, Rights::Control) {
                    log::warn!("a local client cannot be served: {error}");
                }
            }
        }
    }
}

/// Takes as many descriptors as the process may have: one for each local client.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, most);
}
