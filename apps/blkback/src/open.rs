//! From what the toolstack calls a disk (`target=` in its configuration, `params` in xenstore) to the disk.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::cell::RefCell;

use morgana::blkfront::Vdev;
use morgana::block::RamDisk;
use morgana::{Domain, log};

use crate::StartError;
use crate::disk::Disk;
use crate::host::{Files, Host};

/// Bytes in a sector of a disk in memory.
const SECTOR: u32 = 512;

/// How many disks there are at the most, used or not: a disk in memory stays when its guest goes.
const MAX_DISKS: usize = 256;

/// All disks, by their names. The same name is the same disk.
pub(crate) struct Disks<P: Host> {
    domain: Domain<P>,
    /// Sectors of a disk in memory.
    sectors: u64,
    files: Files,
    known: RefCell<BTreeMap<String, Disk<P>>>,
}

impl<P: Host> Disks<P> {
    pub(crate) fn new(domain: &Domain<P>) -> Result<Self, StartError> {
        let mib: u32 = domain.command_line().parse("size", 64)?;
        Ok(Self {
            domain: domain.clone(),
            sectors: u64::from(mib) * (1 << 20) / u64::from(SECTOR),
            files: Files::new(domain)?,
            known: RefCell::default(),
        })
    }

    /// The disk of this name: an own disk if there is one that is called so, else a disk in memory.
    pub(crate) async fn open(&self, name: &str) -> Result<Disk<P>, StartError> {
        if let Some(disk) = self.known.borrow().get(name) {
            return Ok(disk.clone());
        }
        if self.known.borrow().len() >= MAX_DISKS {
            return Err("no further disk can be had".into());
        }
        let disk = self.make(name).await?;
        // Another task may have made it meanwhile: the first one counts.
        let mut known = self.known.borrow_mut();
        Ok(known.entry(name.to_string()).or_insert(disk).clone())
    }

    async fn make(&self, name: &str) -> Result<Disk<P>, StartError> {
        if let Ok(vdev) = name.parse::<Vdev>()
            && morgana::blkfront::disks(self.domain.xenstore()?)
                .await?
                .contains(&vdev)
        {
            log::info!("{name} is this domain's own disk");
            return Ok(Disk::Own(Rc::new(self.domain.disk(name).await?)));
        }
        if name.starts_with('/') {
            log::info!("{name} is a file");
            return self.file(name);
        }
        log::info!("{name} is a disk in memory");
        Ok(Disk::Ram(Rc::new(RamDisk::new(SECTOR, self.sectors)?)))
    }

    #[cfg(not(target_os = "none"))]
    fn file(&self, path: &str) -> Result<Disk<P>, StartError> {
        Ok(Disk::File(self.files.open(path)?))
    }

    #[cfg(target_os = "none")]
    fn file(&self, path: &str) -> Result<Disk<P>, StartError> {
        Ok(Disk::Ram(self.files.open(path)?))
    }
}
