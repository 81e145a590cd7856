//! The ring shared with xenstored (`io/xs_wire.h`).

/// `XENSTORE_RING_SIZE`: bytes in each direction.
pub const RING_SIZE: usize = 1024;

/// `struct xenstore_domain_interface`. Written by both ends: for its layout only, never behind a reference.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Interface {
    /// Requests to xenstored.
    pub req: [u8; RING_SIZE],
    /// Replies and watch events.
    pub rsp: [u8; RING_SIZE],
    /// What xenstored has consumed of `req`.
    pub req_cons: u32,
    /// What the guest has produced into `req`.
    pub req_prod: u32,
    /// What the guest has consumed of `rsp`.
    pub rsp_cons: u32,
    /// What xenstored has produced into `rsp`.
    pub rsp_prod: u32,
    /// `XENSTORE_SERVER_FEATURE_*`.
    pub server_features: u32,
    /// `XENSTORE_CONNECTED` or `XENSTORE_RECONNECT`.
    pub connection: u32,
    /// `XENSTORE_ERROR_*`.
    pub error: u32,
}

/// `XENSTORE_SERVER_FEATURE_RECONNECTION`.
pub const SERVER_FEATURE_RECONNECTION: u32 = 1;
/// `XENSTORE_CONNECTED`.
pub const CONNECTED: u32 = 0;
/// `XENSTORE_RECONNECT`.
pub const RECONNECT: u32 = 1;
