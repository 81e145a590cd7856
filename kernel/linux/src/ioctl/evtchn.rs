//! `/dev/xen/evtchn`.

use std::os::fd::AsFd;

use morgana_hal::{DomId, Port, Virq};
use rustix::io::Result;
use rustix::ioctl::Opcode;

use super::{call, request};

/// `struct ioctl_evtchn_bind_virq`, `…_bind_unbound_port`, `…_unbind` and `…_notify`: one number each.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Number(u32);

/// `struct ioctl_evtchn_bind_interdomain`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct BindInterdomain {
    pub(super) remote_domain: u32,
    pub(super) remote_port: u32,
}

const GROUP: u8 = b'E';

/// `IOCTL_EVTCHN_*`, by the same names.
pub(super) const BIND_VIRQ: Opcode = request(GROUP, 0, size_of::<Number>());
pub(super) const BIND_INTERDOMAIN: Opcode = request(GROUP, 1, size_of::<BindInterdomain>());
pub(super) const BIND_UNBOUND_PORT: Opcode = request(GROUP, 2, size_of::<Number>());
pub(super) const UNBIND: Opcode = request(GROUP, 3, size_of::<Number>());
pub(super) const NOTIFY: Opcode = request(GROUP, 4, size_of::<Number>());
pub(super) const RESET: Opcode = request(GROUP, 5, 0);

/// `IOCTL_EVTCHN_BIND_VIRQ`: the own port for a virtual interrupt of vCPU 0.
pub(crate) fn bind_virq(fd: impl AsFd, virq: Virq) -> Result<Port> {
    // SAFETY: the request reads the number, and writes nothing.
    let port = unsafe { call::<BIND_VIRQ, _>(fd, &mut Number(virq as u32)) };
    port.map(to_port)
}

/// `IOCTL_EVTCHN_BIND_INTERDOMAIN`: the own port, connected to a peer's.
pub(crate) fn bind_interdomain(fd: impl AsFd, peer: DomId, remote: Port) -> Result<Port> {
    let mut bind = BindInterdomain {
        remote_domain: peer.number().into(),
        remote_port: remote.number(),
    };
    // SAFETY: the request reads the struct, and writes nothing.
    let port = unsafe { call::<BIND_INTERDOMAIN, _>(fd, &mut bind) };
    port.map(to_port)
}

/// `IOCTL_EVTCHN_BIND_UNBOUND_PORT`: an own port that a peer may connect to.
pub(crate) fn bind_unbound(fd: impl AsFd, peer: DomId) -> Result<Port> {
    // SAFETY: the request reads the number, and writes nothing.
    let port = unsafe { call::<BIND_UNBOUND_PORT, _>(fd, &mut Number(peer.number().into())) };
    port.map(to_port)
}

/// `IOCTL_EVTCHN_UNBIND`: closes a port.
pub(crate) fn unbind(fd: impl AsFd, port: Port) -> Result<()> {
    // SAFETY: the request reads the number, and writes nothing.
    unsafe { call::<UNBIND, _>(fd, &mut Number(port.number())) }.map(drop)
}

/// `IOCTL_EVTCHN_NOTIFY`: wakes the peer.
pub(crate) fn notify(fd: impl AsFd, port: Port) -> Result<()> {
    // SAFETY: the request reads the number, and writes nothing.
    unsafe { call::<NOTIFY, _>(fd, &mut Number(port.number())) }.map(drop)
}

/// `IOCTL_EVTCHN_RESET`: empties the device's list of arrivals after it has overflowed.
pub(crate) fn reset(fd: impl AsFd) -> Result<()> {
    // SAFETY: the request looks at no argument.
    unsafe { call::<RESET, _>(fd, &mut ()) }.map(drop)
}

/// A request that has not failed returns a port, which is not negative.
fn to_port(number: i32) -> Port {
    Port::new(number.unsigned_abs())
}
