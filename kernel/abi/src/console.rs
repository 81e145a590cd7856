//! Consoles: Xen's own (`console_io` of `xen.h`) and the ring shared with the console daemon (`io/console.h`).

/// `CONSOLEIO_write`: write bytes to Xen's console. Xen allows it to dom0, and to others only in debug builds.
pub const CONSOLEIO_WRITE: u32 = 0;
/// `CONSOLEIO_read`: read bytes from Xen's console (dom0 only).
pub const CONSOLEIO_READ: u32 = 1;

/// `struct xencons_interface`: the shared page of a guest's console.
///
/// The page is written by both ends: use this type for its layout only (`offset_of!`), never behind a reference.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Interface {
    /// Bytes from the console daemon to the guest.
    pub input: [u8; 1024],
    /// Bytes from the guest to the console daemon.
    pub output: [u8; 2048],
    /// What the guest has consumed of `input`.
    pub in_cons: u32,
    /// What the daemon has produced into `input`.
    pub in_prod: u32,
    /// What the daemon has consumed of `output`.
    pub out_cons: u32,
    /// What the guest has produced into `output`.
    pub out_prod: u32,
}
