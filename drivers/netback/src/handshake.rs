//! Finding together with the front end: what is written to xenstore, and what is read from there.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use morgana_exec::Timers;
use morgana_hal::{GrantRef, Platform, Port};
use morgana_netif::{Features, RingKeys, keys};
use morgana_xenbus::{Device, State};

use crate::{Config, Hotplug, Link, RxNotify};

/// Why a back end could not be set up, or not connect to a front end.
pub type ConnectError = morgana_xenbus::ConnectError<Unsuitable>;

/// What makes a front end unsuitable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsuitable {
    /// It does not want frames to be copied into its pages (`request-rx-copy`).
    NoCopy,
    /// It wants none, or more queues than it is offered.
    Queues(usize),
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCopy => f.write_str("the network front end does not offer pages to copy into"),
            Self::Queues(queues) => write!(f, "the network front end wants {queues} queues"),
        }
    }
}

/// Goes through the handshake. Waits for a front end as long as it takes.
pub(crate) async fn connect<P: Platform>(
    platform: &P,
    device: &Device,
    timers: &Timers,
    config: &Config,
) -> Result<Box<Link<P>>, ConnectError> {
    device.wait_for_beginner(timers).await?;
    let published = published(config);
    // The last key is the one that the toolstack's script writes.
    let own = match config.hotplug {
        Hotplug::NotNeeded => &published[..],
        Hotplug::ByToolstack => &published[..published.len() - 1],
    };
    device.publish(State::InitWait, own).await?;
    device.wait_long_for(&State::READY_FRONTEND).await?;

    let rings = rings(device, config).await?;
    let mut asked = Features::KEYS.to_vec();
    asked.extend([keys::REQUEST_RX_COPY, keys::FEATURE_RX_NOTIFY]);
    let flags = device.peer_flags(&asked).await?;
    if !flags.is_set(keys::REQUEST_RX_COPY) {
        return Err(ConnectError::Unsuitable(Unsuitable::NoCopy));
    }
    let features = Features::from_flags(|key| flags.is_set(key));
    let notify = if flags.is_set(keys::FEATURE_RX_NOTIFY) {
        RxNotify::WhenAsked
    } else {
        RxNotify::Never
    };
    let peer = device.peer_domain();
    let link = Link::new(platform, peer, &rings, features, notify, config)?;
    let link = Box::new(link);
    if config.hotplug == Hotplug::ByToolstack {
        device.wait_for_hotplug().await?;
    }
    device.switch(State::Connected).await?;
    Ok(link)
}

/// Reads where the rings are (netif.h: a front end of one queue writes its keys as it did before there could be several).
async fn rings(device: &Device, config: &Config) -> Result<Vec<RingKeys>, ConnectError> {
    let queues = device
        .peer_number_or(keys::MULTI_QUEUE_NUM_QUEUES, 1usize)
        .await?;
    if !(1..=config.queues()).contains(&queues) {
        return Err(ConnectError::Unsuitable(Unsuitable::Queues(queues)));
    }
    let mut rings = Vec::with_capacity(queues);
    for queue in 0..queues {
        let number = async |key: &str| match queues {
            1 => device.peer_number::<u32>(key).await,
            _ => device.peer_number(&keys::of_queue(queue, key)).await,
        };
        rings.push(RingKeys {
            tx_ring: GrantRef::new(number(keys::TX_RING_REF).await?),
            rx_ring: GrantRef::new(number(keys::RX_RING_REF).await?),
            port: Port::new(number(keys::EVENT_CHANNEL).await?),
        });
    }
    Ok(rings)
}

/// What the front end is told.
fn published(config: &Config) -> [(&'static str, String); 9] {
    [
        (keys::MULTI_QUEUE_MAX_QUEUES, config.queues().to_string()),
        (keys::FEATURE_SG, YES.into()),
        (keys::FEATURE_RX_COPY, YES.into()),
        (keys::FEATURE_RX_FLIP, NO.into()),
        (keys::FEATURE_NO_CSUM_OFFLOAD, NO.into()),
        (keys::FEATURE_IPV6_CSUM_OFFLOAD, YES.into()),
        (keys::FEATURE_GSO_TCPV4, YES.into()),
        (keys::FEATURE_GSO_TCPV6, YES.into()),
        (keys::HOTPLUG_STATUS, keys::HOTPLUG_CONNECTED.into()),
    ]
}

const YES: &str = "1";
const NO: &str = "0";
