//! Event channel operations.

use morgana_abi::event_channel as evtchn;
use morgana_abi::hypercall::call2;
use morgana_abi::{DOMID_SELF, hypercall_number as number};
use morgana_hal::{DomId, Port};

use super::{Errno, check};

/// Runs one operation.
///
/// # Safety
///
/// `T` must be the argument type of `operation`.
unsafe fn operate<T>(operation: u32, argument: &mut T) -> Result<i64, Errno> {
    // SAFETY: Xen reads and writes a `T` at the pointer (the caller's promise), which is ours alone during the call.
    check(unsafe {
        call2::<{ number::EVENT_CHANNEL_OP }>(u64::from(operation), &raw mut *argument as u64)
    })
}

/// Opens a port for `peer`.
pub(in crate::machine) fn alloc_unbound(peer: DomId) -> Result<Port, Errno> {
    let mut argument = evtchn::AllocUnbound {
        dom: DOMID_SELF,
        remote_dom: peer.number(),
        port: 0,
    };
    // SAFETY: the argument type of this operation (event_channel.h).
    unsafe { operate(evtchn::EVTCHNOP_ALLOC_UNBOUND, &mut argument)? };
    Ok(Port::new(argument.port))
}

/// Connects a new port to `peer`'s.
pub(in crate::machine) fn bind_interdomain(peer: DomId, remote: Port) -> Result<Port, Errno> {
    let mut argument = evtchn::BindInterdomain {
        remote_dom: peer.number(),
        remote_port: remote.number(),
        local_port: 0,
    };
    // SAFETY: the argument type of this operation (event_channel.h).
    unsafe { operate(evtchn::EVTCHNOP_BIND_INTERDOMAIN, &mut argument)? };
    Ok(Port::new(argument.local_port))
}

/// Binds a new port to a virtual interrupt of vCPU 0.
pub(in crate::machine) fn bind_virq(virq: u32) -> Result<Port, Errno> {
    let mut argument = evtchn::BindVirq {
        virq,
        vcpu: 0,
        port: 0,
    };
    // SAFETY: the argument type of this operation (event_channel.h).
    unsafe { operate(evtchn::EVTCHNOP_BIND_VIRQ, &mut argument)? };
    Ok(Port::new(argument.port))
}

/// The domain that may connect to one of our ports, which is open for nobody else and not connected yet.
pub(in crate::machine) fn unbound_peer(port: Port) -> Result<DomId, Errno> {
    let mut argument = evtchn::Status {
        dom: DOMID_SELF,
        port: port.number(),
        status: 0,
        vcpu: 0,
        u: evtchn::StatusDetail { virq: 0 },
    };
    // SAFETY: the argument type of this operation (event_channel.h).
    unsafe { operate(evtchn::EVTCHNOP_STATUS, &mut argument)? };
    if argument.status != evtchn::EVTCHNSTAT_UNBOUND {
        return Err(Errno(morgana_abi::errno::EINVAL));
    }
    // SAFETY: this is the field that Xen fills in for an unbound port (event_channel.h); any number is valid.
    Ok(DomId::new(unsafe { argument.u.unbound.dom }))
}

/// Closes a port.
pub(in crate::machine) fn close_port(port: Port) -> Result<(), Errno> {
    let mut argument = evtchn::Close {
        port: port.number(),
    };
    // SAFETY: the argument type of this operation (event_channel.h).
    unsafe { operate(evtchn::EVTCHNOP_CLOSE, &mut argument) }.map(drop)
}

/// Raises the event at the other end of a port.
pub(in crate::machine) fn send(port: Port) -> Result<(), Errno> {
    let mut argument = evtchn::Send {
        port: port.number(),
    };
    // SAFETY: the argument type of this operation (event_channel.h).
    unsafe { operate(evtchn::EVTCHNOP_SEND, &mut argument) }.map(drop)
}

/// Unmasks a port, and raises the upcall if it is pending.
pub(in crate::machine) fn unmask(port: Port) -> Result<(), Errno> {
    let mut argument = evtchn::Unmask {
        port: port.number(),
    };
    // SAFETY: the argument type of this operation (event_channel.h).
    unsafe { operate(evtchn::EVTCHNOP_UNMASK, &mut argument) }.map(drop)
}
