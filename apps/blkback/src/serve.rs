//! Serving all disks that the toolstack gives to this domain, each in a task of its own.

use alloc::format;
use alloc::rc::Rc;

use morgana::block::Writes;
use morgana::exec::select;
use morgana::{Domain, log};
use morgana_blkback::{BackendAddress, Blkback, Config};
use morgana_blkif::{Vdev, keys};
use morgana_xenbus::{Directories, Wish, attend};

use crate::StartError;
use crate::host::Host;
use crate::open::Disks;

/// The most pages of front ends that stay mapped, for all disks together. It leaves address space for the rings of further ones, which a guest
/// must not be able to use up for the others: a unikernel can map 16,384 pages one by one.
const PERSISTENT_PAGES: usize = 12_288;

/// The most for one disk, if nobody says otherwise. For a Linux process to unmap pages one by one takes so long (seconds for a disk, in an
/// emulated dom0) that a front end does not wait for it when it closes; there all is copied.
const OF_ONE_DISK: usize = if cfg!(target_os = "none") { 512 } else { 0 };

/// Serves until the connection to xenstored ends.
pub(crate) async fn run<P: Host>(domain: &Domain<P>) -> Result<(), StartError> {
    let disks = Rc::new(Disks::new(domain)?);
    let limit: usize = domain.command_line().parse("limit", 24)?;
    let persistent: usize = domain.command_line().parse("persistent", OF_ONE_DISK)?;
    let persistent_pages = persistent.min(PERSISTENT_PAGES / limit.max(1));
    let client = domain.xenstore()?;
    // In the toolstack's own domain it is the toolstack that takes the directories away.
    let directories = match client.read("domid").await.as_deref() {
        Ok(b"0") => Directories::LeftToToolstack,
        _ => Directories::RemovedHere,
    };
    log::info!("ready for disks");
    let serve = |address, wish| {
        let (domain, disks) = (domain.clone(), disks.clone());
        async move {
            if let Err(error) = one(&domain, &disks, address, wish, persistent_pages).await {
                log::warn!("{}: {error}", name(address));
            }
        }
    };
    attend(
        client,
        domain.tasks(),
        keys::CLASS,
        limit,
        directories,
        serve,
    )
    .await?;
    Ok(())
}

/// Serves one disk as long as the toolstack wants it.
async fn one<P: Host>(
    domain: &Domain<P>,
    disks: &Disks<P>,
    address: BackendAddress,
    wish: Wish,
    persistent_pages: usize,
) -> Result<(), StartError> {
    let client = domain.xenstore()?;
    let (frontend, index) = (address.frontend.number(), address.index);
    let path = |key| format!("backend/{}/{frontend}/{index}/{key}", keys::CLASS);
    let target = client.read_text(&path(keys::PARAMS)).await?;
    let mode = client.read_text(&path(keys::MODE)).await?;
    let disk = disks.open(&target).await?;
    let writes = if mode.starts_with('w') {
        Writes::Allowed
    } else {
        Writes::Refused
    };
    log::info!("{}: is {target}, mode {mode}", name(address));
    let config = Config {
        writes,
        persistent_pages,
        ..Config::default()
    };
    let (platform, tasks) = (domain.platform(), domain.tasks());
    let mut served = Blkback::open(platform, client, tasks, address, disk, config).await?;
    select(served.ended(), wish.ended()).await;
    let stats = served.stats();
    served.close().await;
    log::info!("{}: ended: {stats:?}", name(address));
    Ok(())
}

fn name(address: BackendAddress) -> alloc::string::String {
    format!("{} of {}", Vdev::new(address.index), address.frontend)
}
