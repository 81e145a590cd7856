//! Captures of the network interface on a disk of the domain's own. (It is in images that have the feature `pcap`.)

mod cells;
mod error;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::time::Duration;

use morgana_blkfront::{Blkfront, Config};
use morgana_block::{BlockDevice, BlockError, Writes};
use morgana_exec::{Notify, Timers, join_all};
use morgana_hal::{Clock, Platform};
use morgana_net_device::{Captured, Device, Direction, FrameSink};

use self::cells::{CELL, Cells, empty, remainder};
use crate::Domain;

pub use self::error::CaptureError;

/// How long packets wait for more, so that not each of them costs a write: what a crash takes with it.
const PAUSE: Duration = Duration::from_millis(100);
/// Cells under way while the disk is prepared.
const AT_ONCE: u64 = 8;

/// Records what passes over `device`, if the command line says `pcap=DISK`.
///
/// # Errors
///
/// [`CaptureError`].
pub(crate) async fn record<P: Platform, D: Device>(
    domain: &Domain<P>,
    device: D,
) -> Result<Captured<D, Option<Recorder<P>>>, CaptureError> {
    let recorder = match domain.command_line().value("pcap") {
        None | Some("off") => None,
        Some(name) => Some(Recorder::start(domain, name).await?),
    };
    Ok(Captured::new(device, recorder))
}

/// Takes packets.
pub(crate) struct Recorder<P>(Rc<Shared<P>>);

struct Shared<P> {
    platform: P,
    cells: RefCell<Cells>,
    /// Steps when there is something to write.
    work: Notify,
    /// Whether nothing more is taken: the disk is full, or broken.
    over: Cell<bool>,
}

impl<P: Platform> Recorder<P> {
    async fn start(domain: &Domain<P>, name: &str) -> Result<Self, CaptureError> {
        let disk = domain.disk_with(name, Config::default()).await?;
        let geometry = disk.geometry();
        if geometry.writes() == Writes::Refused {
            return Err(CaptureError::ReadOnly);
        }
        let cells = Cells::new(geometry.bytes()).ok_or(CaptureError::TooSmall)?;
        prepare(&disk, cells.count()).await?;
        let shared = Rc::new(Shared {
            platform: domain.platform().clone(),
            cells: RefCell::new(cells),
            work: Notify::new(),
            over: Cell::new(false),
        });
        // The empty capture.
        shared.write(&disk).await?;
        log::info!("recording to {name}, {} bytes", geometry.bytes());
        let (writer, timers) = (shared.clone(), domain.timers());
        domain
            .tasks()
            .spawn(async move { writer.run(&disk, &timers).await })
            .map_err(|_| CaptureError::TooManyTasks)?;
        Ok(Self(shared))
    }
}

/// Makes all cells but the first empty, from the last one on. What a domain before this one has left there stays a whole capture until the first one is
/// written, since every cell is whole.
async fn prepare<P: Platform>(disk: &Blkfront<P>, count: u64) -> Result<(), BlockError> {
    let geometry = disk.geometry();
    let sectors = (CELL / geometry.sector_size()) as u64;
    let rest = remainder(geometry.bytes());
    if !rest.is_empty() {
        disk.write(count * sectors, &rest).await?;
    }
    let empty = empty();
    let mut end = count;
    while end > 1 {
        let first = end.saturating_sub(AT_ONCE).max(1);
        let writes = (first..end).map(|number| disk.write(number * sectors, &empty));
        let outcomes: Vec<_> = join_all(writes).await;
        outcomes.into_iter().collect::<Result<(), _>>()?;
        end = first;
    }
    Ok(())
}

impl<P: Platform> Shared<P> {
    /// Writes until the disk is full, or breaks.
    async fn run(&self, disk: &Blkfront<P>, timers: &Timers) {
        let mut told = 0;
        while !self.cells.borrow().is_full() {
            let seen = self.work.count();
            if let Err(error) = self.write(disk).await {
                log::error!("the capture ends: {error}");
                break;
            }
            let lost = self.cells.borrow().lost();
            // Each time that it has doubled.
            if lost > told {
                log::warn!("{lost} packets are not in the capture: the disk is slow");
                told = lost.saturating_mul(2);
            }
            self.work.after(seen).await;
            let _ = timers.timeout(PAUSE, self.full()).await;
        }
        self.over.set(true);
        if self.write(disk).await.is_ok() {
            log::info!("the capture ends: its disk is full");
        }
    }

    /// Waits for a full cell.
    async fn full(&self) {
        while !self.cells.borrow().has_full() {
            self.work.after(self.work.count()).await;
        }
    }

    /// Writes what there is.
    async fn write(&self, disk: &Blkfront<P>) -> Result<(), BlockError> {
        let sectors = (CELL / disk.geometry().sector_size()) as u64;
        loop {
            let Some(cell) = self.cells.borrow_mut().next() else {
                return Ok(());
            };
            disk.write(cell.number * sectors, &cell.bytes).await?;
        }
    }
}

impl<P: Platform> FrameSink for Recorder<P> {
    fn is_recording(&self) -> bool {
        !self.0.over.get()
    }

    fn frame(&mut self, direction: Direction, frame: &[u8]) {
        let now_ns = self.0.platform.clock().wall().unix_nanos();
        self.0.cells.borrow_mut().packet(direction, now_ns, frame);
        self.0.work.notify();
    }
}
