//! The daemon: guests' consoles, Xen's own, and SIGHUP.

use core::future::poll_fn;
use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use morgana_daemon::{Ready, pidfile};
use morgana_exec::Executor;
use morgana_hal::{DomId, Platform};
use morgana_linux::{Linux, LinuxClock};
use morgana_reactor::{Direction, HasReactor, Source};
use morgana_xenconsoled::Daemon;
use morgana_xenstore_client::{Client, Config};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGHUP;

use crate::arguments::{Fork, Settings};
use crate::host::DomainZero;
use crate::hypervisor;
use crate::logs::Logs;

/// Watches on xenstore: one for each guest, and a few.
const WATCHES: usize = 1100;

/// Serves until the process is ended.
pub(crate) fn run(settings: &Settings, ready: Ready) -> Result<(), Box<dyn Error>> {
    allow_descriptors();
    let _lock = match settings.fork {
        Fork::Background => {
            let named = |error| format!("{}: {error}", settings.pid_file.display());
            Some(pidfile::write(&settings.pid_file).map_err(named)?)
        }
        Fork::Foreground => None,
    };
    let (platform, mut idle) = Linux::open()?;
    let reactor = platform.reactor().clone();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let stream = platform
        .xenstore()
        .ok_or("there is no way to xenstored: is it running?")?;
    let config = Config {
        watches: WATCHES,
        ..Config::default()
    };
    let client = Client::with_config(stream, &tasks, config)?;
    if settings.logged.guests() || settings.logged.hypervisor() {
        let named = |error| format!("{}: {error}", settings.folder.display());
        fs::create_dir_all(&settings.folder).map_err(named)?;
    }
    let logs = Rc::new(Logs::new(settings));
    if settings.logged.hypervisor() {
        let console = hypervisor::Console::open(&platform, &logs, settings)?;
        tasks.spawn(console.follow())?;
    }
    let hang_up = reactor.register(signal(SIGHUP)?)?;
    tasks.spawn(reopen(hang_up, logs.clone()))?;
    let host = DomainZero::new(platform, reactor, logs);
    let daemon = Daemon::new(host, client, &tasks, settings.guests, DomId::DOM0);
    ready.tell()?;
    let ended = executor.block_on(async move { daemon.serve().await }, &mut idle, &LinuxClock);
    match ended {
        Err(error) => Err(error.into()),
    }
}

/// A stream on which a byte comes for each such signal.
fn signal(number: i32) -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(number, theirs)?;
    Ok(ours)
}

/// Opens all logs anew whenever the signal comes: somebody has moved them away.
async fn reopen(signal: Source<UnixStream>, logs: Rc<Logs>) {
    let mut bytes = [0; 16];
    loop {
        let read = poll_fn(|cx| {
            signal.poll_io(Direction::Read, cx, |mut signal: &UnixStream| {
                signal.read(&mut bytes)
            })
        });
        match read.await {
            Ok(1..) => logs.reopen(),
            // The other end is in this process.
            Ok(0) | Err(_) => return,
        }
    }
}

/// Takes as many descriptors as the process may have: four for each guest.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, most);
}
