//! Finding together with the back end: what is read from xenstore, and what is written there.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use morgana_blkif::{Info, SECTOR_SIZE, keys};
use morgana_block::{Geometry, Writes};
use morgana_exec::{Timers, join};
use morgana_hal::Platform;
use morgana_xenbus::{Device, State};
use morgana_xenstore_client::{KeyError, Problem};

use crate::{Config, Limits, Link};

/// What a back end can do besides reading and writing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features {
    /// It takes flushes (`feature-flush-cache`).
    pub flush: bool,
    /// It takes discards (`feature-discard`).
    pub discard: bool,
    /// It takes secure discards (`discard-secure`).
    pub secure_discard: bool,
}

/// Why a front end could not connect.
pub type ConnectError = morgana_xenbus::ConnectError<Unsuitable>;

/// What makes a back end unsuitable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsuitable {
    /// It took the place of another, and has larger or smaller sectors than that had.
    OtherSectorSize,
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the new block back end has sectors of another size than the old one")
    }
}

/// Goes through the handshake. Waits for a back end that is not there yet, as long as it takes.
pub(crate) async fn connect<P: Platform>(
    platform: &P,
    device: &Device,
    timers: &Timers,
    config: &Config,
) -> Result<(Link<P>, Geometry, Features), ConnectError> {
    device.begin(timers).await?;
    device.wait_long_for(&[State::InitWait]).await?;
    let limits = limits(device, config).await?;
    let link = Link::new(platform, device.peer_domain(), config, limits)?;
    let keys = published(&link);
    let keys: Vec<(&str, String)> = keys.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
    device.publish(State::Initialised, &keys).await?;
    device.wait_for(&[State::Connected]).await?;
    let (geometry, features) = join(geometry(device), features(device)).await;
    let (geometry, features) = (geometry?, features?);
    device.switch(State::Connected).await?;
    Ok((link, geometry, features))
}

/// What the back end offers, as far as we want it.
async fn limits(device: &Device, config: &Config) -> Result<Limits, KeyError> {
    let number = async |key| device.peer_number_or(key, 0u32).await;
    let queues = number(keys::MULTI_QUEUE_MAX_QUEUES);
    let order = number(keys::MAX_RING_PAGE_ORDER);
    let segments = number(keys::FEATURE_MAX_INDIRECT_SEGMENTS);
    let ((queues, order), segments) = join(join(queues, order), segments).await;
    let offered = Limits {
        queues: queues? as usize,
        ring_page_order: order?,
        segments: segments? as usize,
    };
    Ok(Limits::agreed(&config.clamped(), offered))
}

/// What the back end says of its device, once it is connected.
pub(crate) async fn geometry(device: &Device) -> Result<Geometry, KeyError> {
    let sectors = device.peer_number::<u64>(keys::SECTORS);
    // A sector of the protocol, where a back end says nothing.
    let size = device.peer_number_or(keys::SECTOR_SIZE, SECTOR_SIZE as u32);
    let info = device.peer_number_or(keys::INFO, 0u32);
    let ((sectors, size), info) = join(join(sectors, size), info).await;
    let (sectors, size, info) = (sectors?, size?, Info::from_bits_retain(info?));
    let wrong = |key| KeyError::new(&device.peer_path(key), Problem::Unknown);
    let each = u64::from(size) / SECTOR_SIZE as u64;
    if each == 0 {
        return Err(wrong(keys::SECTOR_SIZE));
    }
    let writes = if info.contains(Info::READONLY) {
        Writes::Refused
    } else {
        Writes::Allowed
    };
    // A piece of a sector at the end cannot be used.
    Geometry::new(size, sectors / each, writes).map_err(|_| wrong(keys::SECTORS))
}

async fn features(device: &Device) -> Result<Features, KeyError> {
    let flag = async |key| Ok::<_, KeyError>(device.peer_number_or(key, 0u8).await? != 0);
    let discards = join(flag(keys::FEATURE_DISCARD), flag(keys::DISCARD_SECURE));
    let (flush, (discard, secure)) = join(flag(keys::FEATURE_FLUSH_CACHE), discards).await;
    Ok(Features {
        flush: flush?,
        discard: discard?,
        secure_discard: secure?,
    })
}

/// What the back end is told.
fn published<P: Platform>(link: &Link<P>) -> Vec<(String, String)> {
    let mut told = Vec::from([
        (keys::PROTOCOL.to_owned(), keys::PROTOCOL_X86_64.to_owned()),
        (keys::FEATURE_PERSISTENT.to_owned(), "1".to_owned()),
    ]);
    let queues = link.keys();
    let order = link.limits().ring_page_order;
    if order > 0 {
        told.push((keys::RING_PAGE_ORDER.to_owned(), order.to_string()));
    }
    if queues.len() > 1 {
        let count = queues.len().to_string();
        told.push((keys::MULTI_QUEUE_NUM_QUEUES.to_owned(), count));
    }
    for (index, queue) in queues.iter().enumerate() {
        let below = if queues.len() > 1 {
            format!("queue-{index}/")
        } else {
            String::new()
        };
        for (page, gref) in queue.ring.iter().enumerate() {
            let key = if order > 0 {
                format!("{below}{}{page}", keys::RING_REF)
            } else {
                format!("{below}{}", keys::RING_REF)
            };
            told.push((key, gref.number().to_string()));
        }
        let port = queue.port.number().to_string();
        told.push((format!("{below}{}", keys::EVENT_CHANNEL), port));
    }
    told
}
