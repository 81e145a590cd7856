//! Event channels, two-level ABI (`event_channel.h`).

pub use xen_sys::evtchn_alloc_unbound as AllocUnbound;
pub use xen_sys::evtchn_bind_interdomain as BindInterdomain;
pub use xen_sys::evtchn_bind_ipi as BindIpi;
pub use xen_sys::evtchn_bind_virq as BindVirq;
pub use xen_sys::evtchn_close as Close;
pub use xen_sys::evtchn_send as Send;
pub use xen_sys::evtchn_status as Status;
pub use xen_sys::evtchn_status__bindgen_ty_1 as StatusDetail;
pub use xen_sys::evtchn_unmask as Unmask;

/// `EVTCHNOP_bind_interdomain`: argument [`BindInterdomain`].
pub const EVTCHNOP_BIND_INTERDOMAIN: u32 = 0;
/// `EVTCHNOP_bind_virq`: argument [`BindVirq`].
pub const EVTCHNOP_BIND_VIRQ: u32 = 1;
/// `EVTCHNOP_close`: argument [`Close`].
pub const EVTCHNOP_CLOSE: u32 = 3;
/// `EVTCHNOP_send`: argument [`Send`](struct@Send).
pub const EVTCHNOP_SEND: u32 = 4;
/// `EVTCHNOP_status`: argument [`Status`].
pub const EVTCHNOP_STATUS: u32 = 5;
/// `EVTCHNOP_alloc_unbound`: argument [`AllocUnbound`].
pub const EVTCHNOP_ALLOC_UNBOUND: u32 = 6;
/// `EVTCHNOP_bind_ipi`: argument [`BindIpi`].
pub const EVTCHNOP_BIND_IPI: u32 = 7;
/// `EVTCHNOP_unmask`: argument [`Unmask`].
pub const EVTCHNOP_UNMASK: u32 = 9;

/// `EVTCHNSTAT_closed`.
pub const EVTCHNSTAT_CLOSED: u32 = 0;
/// `EVTCHNSTAT_unbound`.
pub const EVTCHNSTAT_UNBOUND: u32 = 1;
/// `EVTCHNSTAT_interdomain`.
pub const EVTCHNSTAT_INTERDOMAIN: u32 = 2;

/// `EVTCHN_2L_NR_CHANNELS` for a 64-bit guest: 64 words of 64 bits.
pub const NR_CHANNELS_2L: u32 = 4096;

/// `VIRQ_TIMER`: the one-shot timer of a vCPU fired.
pub const VIRQ_TIMER: u32 = 0;
/// `VIRQ_CONSOLE`: bytes came in on Xen's console (dom0).
pub const VIRQ_CONSOLE: u32 = 2;
/// `VIRQ_DOM_EXC`: some domain died or suspended (dom0).
pub const VIRQ_DOM_EXC: u32 = 3;
