//! Entry points that Xen calls in the guest (`callback.h`).

/// `CALLBACKOP_register`: argument [`Register`].
pub const CALLBACKOP_REGISTER: u32 = 0;

/// `CALLBACKTYPE_event`: an event is pending and upcalls are not masked.
pub const CALLBACKTYPE_EVENT: u16 = 0;
/// `CALLBACKTYPE_failsafe`: Xen could not load a segment register on the way back into the guest.
pub const CALLBACKTYPE_FAILSAFE: u16 = 1;
/// `CALLBACKF_mask_events`: enter with upcalls masked.
pub const CALLBACKF_MASK_EVENTS: u16 = 1;

/// `struct callback_register`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Register {
    /// `CALLBACKTYPE_*`.
    pub kind: u16,
    /// `CALLBACKF_*`.
    pub flags: u16,
    /// Virtual address of the entry point.
    pub address: u64,
}
