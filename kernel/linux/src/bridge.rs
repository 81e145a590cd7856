//! Network interfaces of this Linux, and its bridges.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;

use morgana_hal::DomId;

use crate::ioctl::net::{self, NAME_BYTES};

/// Whether there is a network interface of this name.
pub fn has_interface(name: &str) -> bool {
    zero_terminated(name).is_ok() && Path::new("/sys/class/net").join(name).exists()
}

/// The interface that Linux's netback makes for a device.
pub fn interface(front_end: DomId, number: u32) -> String {
    format!("vif{}.{number}", front_end.number())
}

/// Whether Linux's netback has taken a device, or is about to: its interface may come a moment later.
pub fn is_served(front_end: DomId, number: u32) -> bool {
    let device = format!("vif-{}-{number}", front_end.number());
    let devices = Path::new("/sys/bus/xen-backend/devices");
    devices.join(device).join("driver").exists()
}

/// Puts a network interface into a bridge, unless it is in it, and brings it up.
///
/// # Errors
///
/// The kernel's: `PermissionDenied` without the right to do so (`CAP_NET_ADMIN`), `NotFound` if one of the two is not there; `InvalidInput` if a name is empty or
/// longer than 15 bytes.
pub fn join_bridge(interface: &str, bridge: &str) -> io::Result<()> {
    let (name, bridge_name) = (zero_terminated(interface)?, zero_terminated(bridge)?);
    let folder = Path::new("/sys/class/net");
    let bridge = folder.join(bridge).join("bridge");
    let index = fs::read_to_string(folder.join(interface).join("ifindex"))?;
    let index = index.trim().parse();
    let index = index.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    if !bridge.is_dir() {
        return Err(io::ErrorKind::NotFound.into());
    }
    // Any socket will do to ask the kernel about interfaces.
    let socket = OwnedFd::from(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?);
    match net::add_to_bridge(&socket, bridge_name, index) {
        Ok(()) | Err(rustix::io::Errno::BUSY) => {}
        Err(errno) => return Err(errno.into()),
    }
    Ok(net::bring_up(&socket, name)?)
}

fn zero_terminated(name: &str) -> io::Result<[u8; NAME_BYTES]> {
    let mut bytes = [0; NAME_BYTES];
    let fits = (1..NAME_BYTES).contains(&name.len()) && !name.contains(['\0', '/']) && name != "..";
    if !fits {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(!has_interface("no-such-thing"));
        let error = join_bridge("no-such-thing", "nor-this").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        // The first is there on any Linux; the second is no bridge.
        if has_interface("lo") {
            let error = join_bridge("lo", "lo").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        for name in ["", "a-name-of-sixteen", "a\0b", "a/b", ".."] {
            let error = join_bridge(name, "xenbr0").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(!has_interface(name));
        }
    }
}
