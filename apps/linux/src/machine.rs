//! An emulated machine with one guest.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use morgana_emul::{Console, DomainConfig, EmulPlatform, Hypervisor, Outcome, XenstoreServer};
use morgana_exec::Handle;
use morgana_hal::{DomId, Exit};
use morgana_usernet::{Forward, Listener};

use crate::arguments::network;
use crate::capture::CaptureFile;
use crate::domain_0::Domain0;
use crate::toolstack::Guest;
use crate::{Disk, MachineError};

/// How a machine is to be.
#[derive(Debug)]
pub struct Options {
    /// The guest's name.
    pub name: String,
    /// The host's ports that lead to the guest.
    pub forwards: Vec<Forward>,
    /// Where to record what passes over the guest's network interface, if anywhere: a file, in the pcapng format.
    pub pcap: Option<PathBuf>,
    /// What the toolstack says of the guest's memory, in MiB.
    pub memory_mib: u32,
    /// The guest's disks.
    pub disks: Vec<Disk>,
    /// The guest's command line.
    pub command_line: String,
    /// Where the guest's console goes.
    pub console: Console,
    /// Each byte that comes out of it asks the guest to power off. It is non-blocking.
    pub requests: UnixStream,
}

/// Runs `app` in a domain of its own, on another thread, and domain 0 on this one, until the app has ended. `announce` hears of the ports
/// that lead to the guest, as soon as they do.
///
/// # Errors
///
/// [`MachineError`]; the app has not run then.
pub fn run<A, F>(
    options: Options,
    announce: impl FnOnce(&[Forward]),
    app: A,
) -> Result<Outcome, MachineError>
where
    A: FnOnce(EmulPlatform, Handle, String) -> F + Send + 'static,
    F: Future<Output = Exit> + 'static,
{
    let network = network(&options.command_line)?;
    let listen = |&forward: &Forward| {
        Listener::bind(forward).map_err(|error| MachineError::Listen(forward, error))
    };
    let listeners: Vec<Listener> = options
        .forwards
        .iter()
        .map(listen)
        .collect::<Result<_, _>>()?;
    let forwards: Vec<Forward> = listeners.iter().map(Listener::forward).collect();
    announce(&forwards);
    let record = |path: PathBuf| {
        CaptureFile::create(&path).map_err(|error| MachineError::Capture(path, error))
    };
    let capture = options.pcap.map(record).transpose()?;

    let hypervisor = Hypervisor::new();
    let control = hypervisor.create(DomainConfig {
        xenstore: Some(XenstoreServer::Itself),
        ..DomainConfig::default()
    })?;
    let guest = hypervisor.create(DomainConfig {
        xenstore: Some(XenstoreServer::Domain(DomId::DOM0)),
        console: options.console,
        ..DomainConfig::default()
    })?;
    let (Some(ring), Some(guest_ring)) = (control.xenstore_ring(), guest.xenstore_ring()) else {
        unreachable!("both domains were made with a xenstore ring");
    };
    let guest_id = guest.id();
    let command_line = options.command_line;
    let unpause =
        move || guest.spawn(move |platform, tasks, _reactor| app(platform, tasks, command_line));

    let name = options.name;
    let (memory_mib, requests) = (options.memory_mib, options.requests);
    let disks = options.disks;
    let outcome = control.run(|platform, tasks, reactor| {
        let domain_0 = Domain0 {
            hypervisor,
            ring,
            guest: Guest {
                id: guest_id,
                name,
                memory_mib,
                disks,
            },
            guest_ring,
            network,
            capture,
            listeners,
            requests,
        };
        domain_0.run(platform, tasks, reactor, unpause)
    });
    match outcome {
        // Domain 0 has seen that it has ended.
        Outcome::Exited(Ok(thread)) => Ok(thread.join()),
        Outcome::Exited(Err(error)) => Err(error),
        // Nobody has its id but this function.
        Outcome::Killed => Ok(Outcome::Killed),
    }
}
