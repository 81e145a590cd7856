//! Finding together with the front end: what is written to xenstore, and what is read from there.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use morgana_blkif::{Info, SECTOR_SIZE, keys};
use morgana_block::{BlockDevice, Discard, Writes};
use morgana_exec::Timers;
use morgana_hal::{GrantRef, Platform, Port};
use morgana_xenbus::{Device, State};
use morgana_xenstore_client::{KeyError, Problem};

use crate::{Config, Grants, Link, QueueKeys};

/// Why a back end could not be set up, or not connect to a front end.
pub type ConnectError = morgana_xenbus::ConnectError<Unsuitable>;

/// What makes a front end unsuitable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsuitable {
    /// Its requests are laid out for another processor (`protocol`).
    Protocol,
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the block front end is not one of an x86_64 domain")
    }
}

/// Goes through the handshake. Waits for a front end as long as it takes.
pub(crate) async fn connect<P: Platform, D: BlockDevice + 'static>(
    platform: &P,
    device: &Device,
    timers: &Timers,
    disk: &Rc<D>,
    config: &Config,
) -> Result<Link<P, D>, ConnectError> {
    device.wait_for_beginner(timers).await?;
    let told = published(disk.as_ref(), config);
    device.publish(State::InitWait, &told).await?;
    device.wait_long_for(&State::READY_FRONTEND).await?;
    let keys = queues(device, config).await?;
    let grants = grants(device).await?;
    let peer = device.peer_domain();
    let link = Link::new(platform, peer, &keys, grants, disk.clone(), config)?;
    device.switch(State::Connected).await?;
    Ok(link)
}

/// What the front end says of its queues.
async fn queues(device: &Device, config: &Config) -> Result<Vec<QueueKeys>, ConnectError> {
    let config = config.clamped();
    match device.peer_text(keys::PROTOCOL).await {
        // Without a word it is the same as ours.
        Err(error) if error.is_not_found() => {}
        result => {
            if result? != keys::PROTOCOL_X86_64 {
                return Err(ConnectError::Unsuitable(Unsuitable::Protocol));
            }
        }
    }
    let wrong = |key| KeyError::new(&device.peer_path(key), Problem::Unknown);
    let count = device
        .peer_number_or(keys::MULTI_QUEUE_NUM_QUEUES, 1usize)
        .await?;
    if !(1..=config.queues).contains(&count) {
        return Err(wrong(keys::MULTI_QUEUE_NUM_QUEUES).into());
    }
    let order = device.peer_number_or(keys::RING_PAGE_ORDER, 0u32).await?;
    if order > config.ring_page_order {
        return Err(wrong(keys::RING_PAGE_ORDER).into());
    }
    let mut queues = Vec::with_capacity(count);
    for index in 0..count {
        let below = if count > 1 {
            format!("queue-{index}/")
        } else {
            String::new()
        };
        let mut ring = Vec::new();
        for page in 0..1 << order {
            let key = if order > 0 {
                format!("{below}{}{page}", keys::RING_REF)
            } else {
                format!("{below}{}", keys::RING_REF)
            };
            ring.push(GrantRef::new(device.peer_number(&key).await?));
        }
        let port = format!("{below}{}", keys::EVENT_CHANNEL);
        let port = Port::new(device.peer_number(&port).await?);
        queues.push(QueueKeys { ring, port });
    }
    Ok(queues)
}

/// Whether the front end uses the same pages again and again.
async fn grants(device: &Device) -> Result<Grants, KeyError> {
    let persistent = device.peer_number_or(keys::FEATURE_PERSISTENT, 0u8);
    Ok(match persistent.await? {
        0 => Grants::Passing,
        _ => Grants::Persistent,
    })
}

/// What the front end is told.
fn published(disk: &impl BlockDevice, config: &Config) -> Vec<(&'static str, String)> {
    let config = config.clamped();
    let geometry = disk.geometry();
    let size = geometry.sector_size();
    let mut info = Info::empty();
    if geometry.writes() == Writes::Refused || config.writes == Writes::Refused {
        info |= Info::READONLY;
    }
    let flag = |yes: bool| u8::from(yes).to_string();
    let mut told = Vec::from([
        (keys::SECTORS, sectors(disk)),
        (keys::SECTOR_SIZE, size.to_string()),
        (keys::PHYSICAL_SECTOR_SIZE, size.to_string()),
        (keys::INFO, info.bits().to_string()),
        (keys::FEATURE_FLUSH_CACHE, flag(true)),
        (keys::FEATURE_BARRIER, flag(false)),
        (keys::FEATURE_PERSISTENT, flag(config.persistent_pages > 0)),
        (
            keys::FEATURE_MAX_INDIRECT_SEGMENTS,
            config.segments.to_string(),
        ),
        (keys::MULTI_QUEUE_MAX_QUEUES, config.queues.to_string()),
        (
            keys::MAX_RING_PAGE_ORDER,
            config.ring_page_order.to_string(),
        ),
        (keys::HOTPLUG_STATUS, keys::HOTPLUG_CONNECTED.into()),
        (keys::FEATURE_DISCARD, flag(disk.discards(Discard::Plain))),
        (keys::DISCARD_SECURE, flag(disk.discards(Discard::Secure))),
    ]);
    if disk.discards(Discard::Plain) {
        told.push((keys::DISCARD_GRANULARITY, size.to_string()));
        told.push((keys::DISCARD_ALIGNMENT, 0.to_string()));
    }
    told
}

/// The size of a disk as it is told.
pub(crate) fn sectors(disk: &impl BlockDevice) -> String {
    (disk.geometry().bytes() / SECTOR_SIZE as u64).to_string()
}
