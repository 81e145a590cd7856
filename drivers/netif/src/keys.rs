//! The xenstore keys of a network device, relative to its front or back directory (netif.h, the comments; xl's `vif` device).
//!
//! A front end's directory is `device/vif/<index>` in its domain's home, a back end's `backend/vif/<front domain>/<index>` in its.

use alloc::format;
use alloc::string::String;

/// The device class in both paths.
pub const CLASS: &str = "vif";

/// Front: the grant reference of the transmit ring's page.
pub const TX_RING_REF: &str = "tx-ring-ref";
/// Front: the grant reference of the receive ring's page.
pub const RX_RING_REF: &str = "rx-ring-ref";
/// Front: the port of the one event channel for both rings.
pub const EVENT_CHANNEL: &str = "event-channel";
/// Front: 1 if the back end shall copy into the pages offered. All back ends of today insist.
pub const REQUEST_RX_COPY: &str = "request-rx-copy";
/// Front: 1 if the back end is notified of new receive requests, so that it may queue frames until there are some.
pub const FEATURE_RX_NOTIFY: &str = "feature-rx-notify";
/// Front: the Ethernet address, written by the toolstack.
pub const MAC: &str = "mac";
/// Front: the IP MTU in bytes, written by the toolstack; [`DEFAULT_MTU`](crate::DEFAULT_MTU) if it is missing.
pub const MTU: &str = "mtu";

/// Back: 1 if it can copy into the pages that the front end offers.
pub const FEATURE_RX_COPY: &str = "feature-rx-copy";
/// Back: 1 if it can give pages away instead of copying; obsolete.
pub const FEATURE_RX_FLIP: &str = "feature-rx-flip";
/// Back: "connected" once the interface on its side is up.
pub const HOTPLUG_STATUS: &str = "hotplug-status";
/// The value of [`HOTPLUG_STATUS`] for an interface that is up.
pub const HOTPLUG_CONNECTED: &str = "connected";

/// Either side: 1 if it takes frames of several slots.
pub const FEATURE_SG: &str = "feature-sg";
/// Either side: 1 if it does *not* take blank TCP and UDP checksums over IPv4.
pub const FEATURE_NO_CSUM_OFFLOAD: &str = "feature-no-csum-offload";
/// Either side: 1 if it takes blank TCP and UDP checksums over IPv6.
pub const FEATURE_IPV6_CSUM_OFFLOAD: &str = "feature-ipv6-csum-offload";
/// Either side: 1 if it takes large TCP packets over IPv4.
pub const FEATURE_GSO_TCPV4: &str = "feature-gso-tcpv4";
/// Either side: 1 if it takes large TCP packets over IPv6.
pub const FEATURE_GSO_TCPV6: &str = "feature-gso-tcpv6";
/// Back: how many queues it can serve; 1 if it is missing.
pub const MULTI_QUEUE_MAX_QUEUES: &str = "multi-queue-max-queues";
/// Front: how many queues it has; 1 if it is missing. The keys of several lie below those that [`of_queue`] names.
pub const MULTI_QUEUE_NUM_QUEUES: &str = "multi-queue-num-queues";

/// Front: the key `key` of one of several queues.
pub fn of_queue(queue: usize, key: &str) -> String {
    format!("queue-{queue}/{key}")
}
