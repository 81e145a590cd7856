//! Domain 0: xenstored, the toolstack, and the network's back end, until the guest has ended.

use core::future::poll_fn;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use morgana_emul::{
    Direction, DomainThread, EmulPlatform, Hypervisor, Reactor, Source, XenstoreRing,
};
use morgana_exec::{Handle, select};
use morgana_hal::{Channel, DomId, Events, Platform, Virq};
use morgana_net_device::Captured;
use morgana_netback::{BackendAddress, Netback};
use morgana_usernet::{Config, Gateway, Listener};
use morgana_xenstore_client::Client;
use morgana_xenstored::{Quota, Rights, Server};

use crate::capture::CaptureFile;
use crate::readiness::HostSockets;
use crate::toolstack::Guest;
use crate::{MachineError, disk};

/// All that domain 0 needs to know.
#[derive(Debug)]
pub(crate) struct Domain0 {
    pub(crate) hypervisor: Hypervisor,
    pub(crate) ring: XenstoreRing,
    pub(crate) guest: Guest,
    pub(crate) guest_ring: XenstoreRing,
    pub(crate) network: Config,
    pub(crate) capture: Option<CaptureFile>,
    pub(crate) listeners: Vec<Listener>,
    /// Each byte that comes out asks for the guest's end.
    pub(crate) requests: UnixStream,
}

impl Domain0 {
    /// Prepares everything, unpauses the guest, and answers its wants until it has ended.
    pub(crate) async fn run(
        self,
        platform: EmulPlatform,
        tasks: Handle,
        reactor: Reactor,
        unpause: impl FnOnce() -> io::Result<DomainThread>,
    ) -> Result<DomainThread, MachineError> {
        // Bound before anything else, so that no end is missed.
        let deaths = platform.events().virq(Virq::DomainException)?;
        let guest = self.guest.id;
        let server = Server::new(platform.clone(), &tasks, Quota::default());
        server.introduce(DomId::DOM0, self.ring.port(), Rights::Control)?;
        let Some(stream) = platform.xenstore() else {
            unreachable!("domain 0 was made with a xenstore ring, and nobody has taken it");
        };
        let client = Client::start(stream, &tasks)?;
        self.guest.write(&client).await?;
        let address = BackendAddress {
            frontend: guest,
            index: 0,
        };
        let config = morgana_netback::Config::default();
        let back_end = Netback::open(&platform, &client, &tasks, address, config).await?;
        let disks = &self.guest.disks;
        let disks = disk::serve(disks, guest, &platform, &client, &tasks, &reactor).await?;
        let back_end = Captured::new(back_end, self.capture);
        let mut seed = [0; 16];
        platform.entropy(&mut seed);
        let (low, high) = seed.split_at(8);
        let seed = [low, high].map(|half| {
            half.iter()
                .fold(0, |seed, &byte| seed << 8 | u64::from(byte))
        });
        let sockets = HostSockets(reactor.clone());
        let gateway = Gateway::start(
            back_end,
            self.network,
            &self.listeners,
            &sockets,
            &tasks,
            seed,
        )?;
        server.introduce(guest, self.guest_ring.port(), Rights::Guest)?;

        let requests = reactor.register(self.requests)?;
        let thread = unpause()?;
        let end = until_ended(&self.hypervisor, guest, &deaths);
        select(end, obey(&requests, &self.guest, &client)).await;
        drop((gateway, disks));
        server.release(guest);
        Ok(thread)
    }
}

async fn until_ended(hypervisor: &Hypervisor, guest: DomId, deaths: &impl Channel) {
    loop {
        let seen = deaths.count();
        if !hypervisor.domains().contains(&guest) {
            return;
        }
        deaths.after(seen).await;
    }
}

/// Passes on requests for the guest's end, for ever.
async fn obey(requests: &Source<UnixStream>, guest: &Guest, client: &Client) {
    let mut byte = [0; 1];
    loop {
        let read = poll_fn(|cx| {
            requests.poll_io(Direction::Read, cx, |mut io: &UnixStream| {
                io.read(&mut byte)
            })
        })
        .await;
        match read {
            Ok(1..) => {}
            // Nobody will ask any more.
            Ok(0) | Err(_) => return core::future::pending().await,
        }
        if let Err(error) = guest.ask_to_power_off(client).await {
            eprintln!("cannot ask {} to power off: {error}", guest.name);
        }
    }
}
