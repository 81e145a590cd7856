//! The daemon: guests' consoles, Xen's own, and SIGHUP.

use core::future::poll_fn;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use morgana_daemon::{Ready, pidfile};
use morgana_exec::Executor;
use morgana_hal::Platform;
use morgana_linux::{Linux, LinuxClock, LinuxIdle};
use morgana_reactor::{Direction, HasReactor, Source, allow_descriptors};
use morgana_xenconsoled::{Daemon, Guests};
use morgana_xenstore_client::{Client, Config};
use signal_hook::consts::SIGHUP;

use super::arguments::{Fork, Parties, Settings};
use super::host::DomainZero;
use super::hypervisor;
use super::logs::Logs;

/// Watches on xenstore: one for each guest, and a few.
const WATCHES: usize = 1100;

/// Serves guests until the process is ended.
pub(crate) fn run(settings: &Settings, ready: Ready) -> Result<(), Box<dyn Error>> {
    let mut started = Started::new(settings)?;
    let host = started.outlets();
    let (client, tasks) = (started.client.clone(), started.executor.handle());
    let daemon = Daemon::new(host, client, &tasks, settings.guests, Guests::All);
    ready.tell()?;
    let ended = async move { daemon.serve().await };
    match started.block_on(ended) {
        Err(error) => Err(error.into()),
    }
}

/// What the daemon and the helper begin with: Xen's devices, xenstore, logs, SIGHUP.
pub(super) struct Started {
    pub(super) platform: Linux,
    pub(super) client: Client,
    pub(super) executor: Executor,
    idle: LinuxIdle,
    logs: Rc<Logs>,
    /// Locked as long as it is open.
    _pid_file: Option<File>,
}

impl Started {
    pub(super) fn new(settings: &Settings) -> Result<Self, Box<dyn Error>> {
        // Four for each guest.
        allow_descriptors();
        let pid_file = match settings.fork {
            Fork::Background => {
                let named = |error| format!("{}: {error}", settings.pid_file.display());
                Some(pidfile::write(&settings.pid_file).map_err(named)?)
            }
            Fork::Foreground => None,
        };
        let (platform, idle) = Linux::open()?;
        let executor = Executor::new();
        let tasks = executor.handle();
        let stream = platform
            .xenstore()
            .ok_or("there is no way to xenstored: is it running?")?;
        let config = Config {
            watches: WATCHES,
            ..Config::default()
        };
        let client = Client::with_config(stream, &tasks, config)?;
        if settings.logged != Parties::None {
            let named = |error| format!("{}: {error}", settings.folder.display());
            fs::create_dir_all(&settings.folder).map_err(named)?;
        }
        let logs = Rc::new(Logs::new(settings));
        if settings.logged.hypervisor() {
            let console = hypervisor::Console::open(&platform, &logs, settings)?;
            tasks.spawn(console.follow())?;
        }
        let hang_up = platform.reactor().register(signal(SIGHUP)?)?;
        tasks.spawn(reopen(hang_up, logs.clone()))?;
        Ok(Self {
            platform,
            client,
            executor,
            idle,
            logs,
            _pid_file: pid_file,
        })
    }

    pub(super) fn outlets(&self) -> DomainZero {
        let reactor = self.platform.reactor().clone();
        DomainZero::new(self.platform.clone(), reactor, self.logs.clone())
    }

    pub(super) fn block_on<F: Future + 'static>(&mut self, main: F) -> F::Output {
        self.executor.block_on(main, &mut self.idle, &LinuxClock)
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
