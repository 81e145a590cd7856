//! `/dev/xen/evtchn`.

use std::os::fd::AsFd;

use morgana_hal::{DomId, Port, Virq};
use rustix::io::Result;

use super::{call, request};

/// `struct ioctl_evtchn_bind_virq`, `…_bind_unbound_port`, `…_unbind` and `…_notify`: one number each.
#[repr(C)]
#[derive(Debug)]
struct Number(u32);

/// `struct ioctl_evtchn_bind_interdomain`.
#[repr(C)]
#[derive(Debug)]
struct BindInterdomain {
    remote_domain: u32,
    remote_port: u32,
}

const GROUP: u8 = b'E';

/// `IOCTL_EVTCHN_BIND_VIRQ`: the own port for a virtual interrupt of vCPU 0.
pub(crate) fn bind_virq(fd: impl AsFd, virq: Virq) -> Result<Port> {
    const REQUEST: u32 = request(GROUP, 0, size_of::<Number>());
    // SAFETY: the request reads the number, and writes nothing.
    let port = unsafe { call::<REQUEST, _>(fd, &mut Number(virq as u32)) };
    port.map(to_port)
}

/// `IOCTL_EVTCHN_BIND_INTERDOMAIN`: the own port, connected to a peer's.
pub(crate) fn bind_interdomain(fd: impl AsFd, peer: DomId, remote: Port) -> Result<Port> {
    const REQUEST: u32 = request(GROUP, 1, size_of::<BindInterdomain>());
    let mut bind = BindInterdomain {
        remote_domain: peer.number().into(),
        remote_port: remote.number(),
    };
    // SAFETY: the request reads the struct, and writes nothing.
    let port = unsafe { call::<REQUEST, _>(fd, &mut bind) };
    port.map(to_port)
}

/// `IOCTL_EVTCHN_BIND_UNBOUND_PORT`: an own port that a peer may connect to.
pub(crate) fn bind_unbound(fd: impl AsFd, peer: DomId) -> Result<Port> {
    const REQUEST: u32 = request(GROUP, 2, size_of::<Number>());
    // SAFETY: the request reads the number, and writes nothing.
    let port = unsafe { call::<REQUEST, _>(fd, &mut Number(peer.number().into())) };
    port.map(to_port)
}

/// `IOCTL_EVTCHN_UNBIND`: closes a port.
pub(crate) fn unbind(fd: impl AsFd, port: Port) -> Result<()> {
    const REQUEST: u32 = request(GROUP, 3, size_of::<Number>());
    // SAFETY: the request reads the number, and writes nothing.
    unsafe { call::<REQUEST, _>(fd, &mut Number(port.number())) }.map(drop)
}

/// `IOCTL_EVTCHN_NOTIFY`: wakes the peer.
pub(crate) fn notify(fd: impl AsFd, port: Port) -> Result<()> {
    const REQUEST: u32 = request(GROUP, 4, size_of::<Number>());
    // SAFETY: the request reads the number, and writes nothing.
    unsafe { call::<REQUEST, _>(fd, &mut Number(port.number())) }.map(drop)
}

/// `IOCTL_EVTCHN_RESET`: empties the device's list of arrivals after it has overflowed.
pub(crate) fn reset(fd: impl AsFd) -> Result<()> {
    const REQUEST: u32 = request(GROUP, 5, 0);
    // SAFETY: the request looks at no argument.
    unsafe { call::<REQUEST, _>(fd, &mut ()) }.map(drop)
}

/// A request that has not failed returns a port, which is not negative.
fn to_port(number: i32) -> Port {
    Port::new(number.unsigned_abs())
}
