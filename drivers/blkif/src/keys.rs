//! The xenstore keys of a block device, relative to its front or back directory (blkif.h, "Backend XenBus Nodes", "Frontend XenBus Nodes").
//!
//! A front end's directory is `device/vbd/<number>` in its domain's home, a back end's `backend/vbd/<front domain>/<number>` in its.

/// The device class in both paths.
pub const CLASS: &str = "vbd";

/// Back: the size of a sector of the device in bytes: 512, or a multiple.
pub const SECTOR_SIZE: &str = "sector-size";
/// Back: the size of what the device writes at once, in bytes.
pub const PHYSICAL_SECTOR_SIZE: &str = "physical-sector-size";
/// Back: the size of the device, in sectors of 512 bytes.
pub const SECTORS: &str = "sectors";
/// Back: the kind of device, as [`Info`](crate::Info).
pub const INFO: &str = "info";
/// Back: "r" or "w", written by the toolstack.
pub const MODE: &str = "mode";
/// Back: which device it stands for, written by the toolstack: a path, or a name that the back end understands.
pub const PARAMS: &str = "params";
/// Back: how the guest calls the device ("xvda"), written by the toolstack.
pub const DEV: &str = "dev";
/// Back: "connected" once the device on its side is there; the toolstack's script or the back end itself writes it.
pub const HOTPLUG_STATUS: &str = "hotplug-status";
/// The value of [`HOTPLUG_STATUS`] for a device that is there.
pub const HOTPLUG_CONNECTED: &str = "connected";

/// Back: 1 if it takes [`FLUSH_DISKCACHE`](crate::Operation::FLUSH_DISKCACHE).
pub const FEATURE_FLUSH_CACHE: &str = "feature-flush-cache";
/// Back: 1 if it takes [`WRITE_BARRIER`](crate::Operation::WRITE_BARRIER).
pub const FEATURE_BARRIER: &str = "feature-barrier";
/// Back: 1 if it takes [`DISCARD`](crate::Operation::DISCARD).
pub const FEATURE_DISCARD: &str = "feature-discard";
/// Back: 1 if a discard may be secure.
pub const DISCARD_SECURE: &str = "discard-secure";
/// Back: what a discard forgets at the least, in bytes.
pub const DISCARD_GRANULARITY: &str = "discard-granularity";
/// Back: where the first such piece begins, in bytes.
pub const DISCARD_ALIGNMENT: &str = "discard-alignment";
/// Back: the most segments of an indirect request; none are understood without it.
pub const FEATURE_MAX_INDIRECT_SEGMENTS: &str = "feature-max-indirect-segments";
/// Either side: 1 if it uses the same granted pages again and again.
pub const FEATURE_PERSISTENT: &str = "feature-persistent";

/// Back: the most queues that it serves.
pub const MULTI_QUEUE_MAX_QUEUES: &str = "multi-queue-max-queues";
/// Front: how many queues there are. With more than one, each has its keys in a directory `queue-N`.
pub const MULTI_QUEUE_NUM_QUEUES: &str = "multi-queue-num-queues";
/// Back: the largest ring that it serves, as a power of two of pages.
pub const MAX_RING_PAGE_ORDER: &str = "max-ring-page-order";
/// Front: how large the ring is, as a power of two of pages. Without it, or with 0, the one page is in [`RING_REF`].
pub const RING_PAGE_ORDER: &str = "ring-page-order";
/// Front: the grant reference of the ring's page. Of a larger ring there are `ring-ref0`, `ring-ref1` and so on.
pub const RING_REF: &str = "ring-ref";
/// Front: the port of the event channel.
pub const EVENT_CHANNEL: &str = "event-channel";
/// Front: how its requests are laid out.
pub const PROTOCOL: &str = "protocol";
/// The value of [`PROTOCOL`] that is meant here (protocols.h, `XEN_IO_PROTO_ABI_X86_64`).
pub const PROTOCOL_X86_64: &str = "x86_64-abi";
