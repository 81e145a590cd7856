//! Finding together with the back end: what is read from xenstore, and what is written there.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use morgana_exec::{Timers, join};
use morgana_hal::Platform;
use morgana_netif::{DEFAULT_MTU, Features, MAX_PACKET, MacAddr, keys};
use morgana_xenbus::{Device, State};
use morgana_xenstore_client::{KeyError, Problem, Tree, number_or, text};

use crate::{Config, Link};

/// What the toolstack and the first back end have made of the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Interface {
    pub(crate) mac: MacAddr,
    pub(crate) mtu: usize,
}

/// Why a front end could not connect.
pub type ConnectError = morgana_xenbus::ConnectError<Unsuitable>;

/// What makes a back end unsuitable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsuitable {
    /// It cannot copy into our pages (`feature-rx-copy`).
    NoCopy,
    /// It took the place of another, and takes only shorter frames than that did.
    ShorterFrames,
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCopy => "the network back end cannot copy into pages",
            Self::ShorterFrames => "the new network back end takes shorter frames than the old one",
        })
    }
}

/// Reads what the toolstack says of the device `device/vif/INDEX`.
pub(crate) async fn interface(tree: &Tree, index: u32) -> Result<Interface, ConnectError> {
    let path = |key| format!("device/{}/{index}/{key}", keys::CLASS);
    let wrong = |key| KeyError::new(&path(key), Problem::Unknown);
    let paths = [path(keys::MAC), path(keys::MTU)];
    let [mac, mtu] =
        <[_; 2]>::try_from(tree.read_each(&paths).await).map_err(|_| wrong(keys::MAC))?;
    let mac = text(&paths[0], mac)?;
    let mac = MacAddr::from_xenstore(&mac).map_err(|_| wrong(keys::MAC))?;
    let mtu = number_or(&paths[1], mtu, DEFAULT_MTU)?;
    if !(MIN_MTU..=MAX_PACKET).contains(&mtu) {
        return Err(wrong(keys::MTU).into());
    }
    Ok(Interface { mac, mtu })
}

/// Goes through the handshake up to the point where the back end knows all, and is on its way. Waits for a back end that is not there
/// yet, as long as it takes.
///
/// From then on the link may be used: what is sent meanwhile is what the back end finds first, once it says that it has connected ([`Link::begin`]).
pub(crate) async fn connect<P: Platform>(
    platform: &P,
    device: &Device,
    timers: &Timers,
    config: &Config,
    mtu: usize,
) -> Result<Box<Link<P>>, ConnectError> {
    device.begin(timers).await?;
    let features = negotiate(device).await?;
    let mut agreed = *config;
    if config.queues() > 1 {
        let offered = device.peer_number_or(keys::MULTI_QUEUE_MAX_QUEUES, 1usize);
        agreed.queues = config.queues().min(offered.await?);
    }
    let peer = device.peer_domain();
    let mut link = Box::new(Link::new(platform, peer, &agreed, features, mtu)?);
    let told = published(&link);
    let told: Vec<_> = told
        .iter()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    device.publish(State::Connected, &told).await?;
    link.hold();
    Ok(link)
}

/// Waits for a back end that is ready for a new front end, and reads what it says of itself.
async fn negotiate(device: &Device) -> Result<Features, ConnectError> {
    // Mostly it is ready already, so both are asked at once; what a back end says before that counts for nothing.
    let (ready, features) = join(device.is_in(State::InitWait), features(device)).await;
    if ready? {
        return features;
    }
    device.wait_long_for(&[State::InitWait]).await?;
    self::features(device).await
}

async fn features(device: &Device) -> Result<Features, ConnectError> {
    let mut asked = Features::KEYS.to_vec();
    asked.push(keys::FEATURE_RX_COPY);
    let flags = device.peer_flags(&asked).await?;
    if !flags.is_set(keys::FEATURE_RX_COPY) {
        return Err(ConnectError::Unsuitable(Unsuitable::NoCopy));
    }
    Ok(Features::from_flags(|key| flags.is_set(key)))
}

/// What the back end is told.
fn published<P: Platform>(link: &Link<P>) -> Vec<(String, String)> {
    let queues = link.keys();
    let mut told = Vec::new();
    for (queue, rings) in queues.iter().enumerate() {
        for (key, number) in [
            (keys::TX_RING_REF, rings.tx_ring.number()),
            (keys::RX_RING_REF, rings.rx_ring.number()),
            (keys::EVENT_CHANNEL, rings.port.number()),
        ] {
            // netif.h: one queue has its keys where they were before there could be several.
            let key = match queues.len() {
                1 => key.into(),
                _ => keys::of_queue(queue, key),
            };
            told.push((key, number.to_string()));
        }
    }
    // Also if it is one: an earlier connection, or an earlier system in this domain, may have had more.
    let key = keys::MULTI_QUEUE_NUM_QUEUES.into();
    told.push((key, queues.len().to_string()));
    let features = [
        (keys::REQUEST_RX_COPY, YES),
        (keys::FEATURE_RX_NOTIFY, YES),
        (keys::FEATURE_SG, YES),
        (keys::FEATURE_NO_CSUM_OFFLOAD, NO),
        (keys::FEATURE_IPV6_CSUM_OFFLOAD, YES),
        (keys::FEATURE_GSO_TCPV4, YES),
        (keys::FEATURE_GSO_TCPV6, YES),
    ];
    told.extend(features.map(|(key, value)| (key.into(), value.into())));
    told
}

const YES: &str = "1";
const NO: &str = "0";

/// RFC 791, section 3.2: every link carries this much.
const MIN_MTU: usize = 68;
