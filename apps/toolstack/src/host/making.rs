//! How a domain comes to be.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use morgana_builder::{Built, Domain, Image, Wanted};
use morgana_hal::{DomId, Port, Toolstack, WallTime};

use super::Host;
use crate::config::{Config, Disk};
use crate::error::HostError;
use crate::nodes::{self, Device};
use crate::outlets::{Opened, OutletError, Outlets, Plugged, VifId};
use crate::uuid::Uuid;

/// The highest port of a domain, as libxl has it if nothing else is said.
const MAX_PORT: Port = Port::new(1023);

/// How long a back end may take to see a device: on a busy machine with many domains Linux's takes seconds. As long as libxl gives its scripts (`LIBXL_HOTPLUG_TIMEOUT`).
const BACK_END: Duration = Duration::from_secs(40);
/// How often is looked whether an interface has come.
const GLANCE: Duration = Duration::from_millis(1);
/// `XenbusStateInitWait` (io/xenbus.h): it has the device, and waits for its front end.
const INIT_WAIT: u32 = 2;
/// `XenbusStateClosing`: it has seen the device, and does not want it.
const CLOSING: u32 = 5;

impl<T: Toolstack, O: Outlets> Host<T, O> {
    /// Makes a domain, and lets it run.
    ///
    /// # Errors
    ///
    /// [`HostError`]; nothing is left of the domain then.
    pub async fn create(
        &self,
        config: &Config,
        image: &Image,
        uuid: Uuid,
        now: WallTime,
    ) -> Result<DomId, HostError> {
        if let Some(domain) = self.called(&config.name).await? {
            return Err(HostError::NameInUse(domain));
        }
        let (built, domain) = self.make(config, image, uuid, now).await?;
        self.finish(domain, uuid, async {
            Ok(self.toolstack.unpause(built.domain)?)
        })
        .await
    }

    /// Makes a domain with all that it has, but paused.
    pub(super) async fn make(
        &self,
        config: &Config,
        image: &Image,
        uuid: Uuid,
        now: WallTime,
    ) -> Result<(Built, Domain<'_, T>), HostError> {
        let wanted = Wanted {
            handle: uuid.bytes(),
            pages: config.pages,
            max_port: MAX_PORT,
            command_line: config.extra.as_bytes(),
            xenstored: self.daemon("/tool/xenstored/domid").await?,
            xenconsoled: self.daemon("/tool/xenconsoled/domid").await?,
        };
        // Files are held until the domain is made, or has failed to be.
        let (mut devices, held) = self.disks(&config.disks).await?;
        for (number, vif) in (0..).zip(&config.vifs) {
            let backend = self.back_end_domain(vif.backend.as_deref()).await?;
            devices.push(Device::vif(vif, number, backend, uuid));
        }
        let (built, domain) = image.build(&self.toolstack, &wanted)?;
        let told = async {
            nodes::write(&self.client, config, uuid, &built, &devices, now).await?;
            let (frame, port) = (built.xenstore_frame, built.xenstore_port);
            self.client.introduce(built.domain, frame, port).await?;
            self.connect(built.domain, &devices, &held).await
        };
        match told.await {
            Ok(()) => Ok((built, domain)),
            Err(error) => {
                self.give_up(domain, uuid).await;
                Err(error)
            }
        }
    }

    /// Does the last thing before a domain lives on; if that fails the domain is given up.
    pub(super) async fn finish(
        &self,
        domain: Domain<'_, T>,
        uuid: Uuid,
        last: impl Future<Output = Result<(), HostError>>,
    ) -> Result<DomId, HostError> {
        match last.await {
            Ok(()) => Ok(domain.keep()),
            Err(error) => {
                self.give_up(domain, uuid).await;
                Err(error)
            }
        }
    }

    /// What went wrong first is what is told, so nothing is said of what goes wrong here.
    async fn give_up(&self, domain: Domain<'_, T>, uuid: Uuid) {
        let id = domain.id();
        drop(domain);
        let _ = nodes::remove(&self.client, id, uuid).await;
    }

    /// Disks, and what holds those that are made of files.
    pub(super) async fn disks(
        &self,
        disks: impl IntoIterator<Item = &Disk>,
    ) -> Result<(Vec<Device>, Vec<O::Held>), HostError> {
        let (mut devices, mut held) = (Vec::new(), Vec::new());
        for disk in disks {
            let backend = self.back_end_domain(disk.backend.as_deref()).await?;
            let block = match backend {
                DomId::DOM0 => match self.outlets.block_device(&disk.target) {
                    Err(OutletError::NotABlockDevice) => {
                        let (block, holds) = self.outlets.attach(&disk.target, disk.access)?;
                        held.push(holds);
                        Some(block)
                    }
                    block => Some(block?),
                },
                _ => None,
            };
            devices.push(Device::disk(disk, backend, block));
        }
        Ok((devices, held))
    }

    pub(super) async fn back_end_domain(&self, called: Option<&str>) -> Result<DomId, HostError> {
        let Some(called) = called else {
            return Ok(DomId::DOM0);
        };
        self.find(called).await.map_err(|error| match error {
            HostError::NoSuchDomain => HostError::NoBackEndDomain,
            error => error,
        })
    }

    /// Waits until the back ends have the devices, files among them.
    pub(super) async fn connect(
        &self,
        domain: DomId,
        devices: &[Device],
        held: &[O::Held],
    ) -> Result<(), HostError> {
        self.plug(domain, devices).await?;
        match held {
            [] => Ok(()),
            _ => self.open(domain, devices).await,
        }
    }

    /// Waits until the back ends have taken the devices, and plugs them in.
    async fn plug(&self, domain: DomId, devices: &[Device]) -> Result<(), HostError> {
        for device in devices {
            let back = device.back_path(domain);
            let taken = self.timers.timeout(BACK_END, self.taken(&back)).await;
            taken.unwrap_or(Err(HostError::NoBackEnd))?;
            if let (DomId::DOM0, Some(bridge)) = (device.backend, &device.bridge) {
                let plugged = self
                    .timers
                    .timeout(BACK_END, self.join_bridge(device.id(domain), bridge));
                plugged.await.unwrap_or(Err(HostError::NoBackEnd))?;
                let path = format!("{back}/hotplug-status");
                self.client.write(&path, "connected").await?;
            }
        }
        Ok(())
    }

    /// Returns when the back ends have the disks open. Linux says that it has a device before it has opened it, and nothing in xenstore tells when it has.
    async fn open(&self, domain: DomId, devices: &[Device]) -> Result<(), HostError> {
        let disks = devices.iter().filter_map(|device| device.disk_id(domain));
        let open = async {
            for disk in disks {
                while self.outlets.is_open(disk) == Opened::NotYet {
                    self.timers.sleep(GLANCE).await;
                }
            }
        };
        let open = self.timers.timeout(BACK_END, open).await;
        open.map_err(|_| HostError::NoBackEnd)
    }

    /// Returns when a network device is in its bridge, or has a back end that does without. Linux says that it has a device before it has made the interface, and nothing in
    /// xenstore tells when that is there.
    async fn join_bridge(&self, vif: VifId, bridge: &str) -> Result<(), HostError> {
        while self.outlets.plug(vif, bridge)? == Plugged::NotYet {
            self.timers.sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Returns when the back end whose nodes are at `back` waits for its front end.
    async fn taken(&self, back: &str) -> Result<(), HostError> {
        let path = format!("{back}/state");
        let changes = self.client.watch(&path).await?;
        loop {
            match self.client.read_number(&path).await {
                Ok(INIT_WAIT..CLOSING) => return Ok(()),
                Ok(CLOSING..) => return Err(HostError::BackEndRefuses),
                // What is no number is no state in which it waits.
                Ok(_) | Err(_) => {}
            }
            changes.next().await?;
        }
    }

    /// The domain of a daemon: dom0 if nothing is said.
    async fn daemon(&self, path: &str) -> Result<DomId, HostError> {
        let number = self.client.read_number_or(path, 0_u16).await;
        // Nonsense there is no reason not to build domains.
        Ok(DomId::new(number.unwrap_or(0)))
    }
}
