//! A name server that runs on plain Linux, unprivileged, on an address of its own.

mod secondary;

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use morgana_peer_programs::{Folder, Packages, Process, free_address};

use crate::client::{Client, PATIENCE};
use crate::world::{World, Zone};

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// NSD, of NLnet Labs.
    Nsd,
    /// Knot DNS, of CZ.NIC.
    Knot,
}

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    address: SocketAddr,
    // Its files are there for as long as it runs.
    folder: Folder,
}

/// How often another port is tried, when somebody took the one that was free a moment ago.
const PORTS: usize = 5;

impl Daemon {
    /// Starts it with the zones of `world`; it serves all of them when this returns.
    ///
    /// # Errors
    ///
    /// Those of its files and sockets; `TimedOut` if it does not serve, with what it said.
    pub fn start(packages: &Packages, peer: Peer, world: &World) -> io::Result<Self> {
        let mut tried = 0;
        loop {
            tried += 1;
            match Self::try_start(packages, peer, world) {
                Err(_) if tried < PORTS => {}
                started => return started,
            }
        }
    }

    /// Starts it as a secondary server, which takes all zones from the server at `primary`; it serves them when this returns.
    ///
    /// # Errors
    ///
    /// As for [`Daemon::start`].
    pub fn secondary(
        packages: &Packages,
        peer: Peer,
        world: &World,
        primary: SocketAddr,
    ) -> io::Result<Self> {
        let (folder, address) = (Folder::new()?, free_address()?);
        let text = match peer {
            Peer::Nsd => secondary::nsd(folder.path(), address, world.zones(), primary),
            Peer::Knot => secondary::knot(folder.path(), address, world.zones(), primary),
        };
        Self::configured(packages, peer, (&text, address), folder, world.zones())
    }

    /// Waits until it serves all zones of `world` as they are there, by their serial number.
    ///
    /// # Errors
    ///
    /// Those of the sockets; `TimedOut` if it does not come to that, with what the server said.
    pub fn follows(&mut self, world: &World) -> io::Result<()> {
        self.wait(world.zones(), Some(world.serial()))
    }

    fn try_start(packages: &Packages, peer: Peer, world: &World) -> io::Result<Self> {
        let folder = Folder::new()?;
        let address = free_address()?;
        for (number, zone) in world.zones().iter().enumerate() {
            fs::write(folder.path().join(file(number)), zone.text())?;
        }
        let text = match peer {
            Peer::Nsd => nsd(folder.path(), address, world.zones()),
            Peer::Knot => knot(folder.path(), address, world.zones()),
        };
        Self::configured(packages, peer, (&text, address), folder, world.zones())
    }

    /// Runs it with a configuration.
    fn configured(
        packages: &Packages,
        peer: Peer,
        (text, address): (&str, SocketAddr),
        folder: Folder,
        zones: &[Zone],
    ) -> io::Result<Self> {
        let path = folder.path().join("conf");
        fs::write(&path, text)?;
        let mut command = match peer {
            Peer::Nsd => {
                let mut command = packages.command("usr/sbin/nsd");
                command.arg("-d");
                command
            }
            Peer::Knot => packages.command("usr/sbin/knotd"),
        };
        let log = fs::File::create(folder.path().join("log"))?;
        command
            .arg("-c")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut daemon = Self {
            process: Process::start(&mut command)?,
            address,
            folder,
        };
        daemon.wait(zones, None)?;
        Ok(daemon)
    }

    fn wait(&mut self, zones: &[Zone], serial: Option<u32>) -> io::Result<()> {
        let began = Instant::now();
        while !self.client()?.serves(zones, serial)? {
            let ended = self.process.ended()?;
            if ended.is_some() || began.elapsed() > PATIENCE {
                let said = fs::read_to_string(self.folder.path().join("log"))?;
                let text = format!("it does not serve {serial:?} ({ended:?}); it says {said}");
                return Err(io::Error::new(ErrorKind::TimedOut, text));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// A client of it.
    ///
    /// # Errors
    ///
    /// Those of the sockets.
    pub fn client(&self) -> io::Result<Client> {
        Client::new(self.address)
    }
}

fn file(number: usize) -> String {
    format!("zone{number}")
}

fn nsd(folder: &Path, address: SocketAddr, zones: &[Zone]) -> String {
    let place = folder.display();
    let mut text = nsd_server(folder, address);
    for (number, zone) in zones.iter().enumerate() {
        let (name, file) = (zone.origin(), file(number));
        text += &format!(
            "zone:\n name: \"{name}\"\n zonefile: \"{place}/{file}\"\n provide-xfr: 127.0.0.1 NOKEY\n"
        );
    }
    text
}

/// What does not depend on the zones.
fn nsd_server(folder: &Path, address: SocketAddr) -> String {
    let (place, ip, port) = (folder.display(), address.ip(), address.port());
    format!(
        "server:\n ip-address: {ip}@{port}\n server-count: 1\n username: \"\"\n chroot: \"\"\n zonesdir: \"{place}\"\n \
         database: \"\"\n pidfile: \"\"\n xfrdfile: \"{place}/xfrd\"\n xfrdir: \"{place}\"\n \
         zonelistfile: \"{place}/zones\"\n cookie-secret-file: \"{place}/cookies\"\n rrl-ratelimit: 0\n \
         minimal-responses: yes\n round-robin: no\n refuse-any: no\n answer-cookie: no\n hide-version: yes\n \
         hide-identity: yes\n tcp-query-count: 0\n tcp-timeout: 60\n verbosity: 1\n\
         remote-control:\n control-enable: no\n"
    )
}

fn knot(folder: &Path, address: SocketAddr, zones: &[Zone]) -> String {
    let place = folder.display();
    let mut text = knot_server(folder, address);
    text += "acl:\n  - id: all\n    address: 127.0.0.1\n    action: transfer\nzone:\n";
    for (number, zone) in zones.iter().enumerate() {
        let (name, file) = (zone.origin(), file(number));
        text += &format!(
            "  - domain: \"{name}\"\n    file: \"{place}/{file}\"\n    zonefile-load: whole\n    zonefile-sync: -1\n    \
             journal-content: none\n    acl: all\n"
        );
    }
    text
}

/// What does not depend on the zones.
fn knot_server(folder: &Path, address: SocketAddr) -> String {
    let (place, ip, port) = (folder.display(), address.ip(), address.port());
    format!(
        "server:\n  rundir: \"{place}\"\n  listen: {ip}@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  \
         background-workers: 1\n  tcp-idle-timeout: 60\n\
         database:\n  storage: \"{place}\"\n\
         log:\n  - target: stderr\n    any: warning\n"
    )
}
