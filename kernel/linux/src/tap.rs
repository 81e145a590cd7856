//! Tap devices: network interfaces of this Linux whose other end is a descriptor.

use std::io;
use std::os::fd::OwnedFd;

use crate::device::open_file;
use crate::ioctl::tun;

/// Makes a network interface of this name, which exists as long as the descriptor is open. One read gives one frame that the interface sends,
/// one write is one frame that it receives; each begins with a `virtio_net_hdr` of 10 bytes (Linux, include/uapi/linux/virtio_net.h).
/// The interface may leave checksums blank and send large TCP frames. Operations on the descriptor do not block.
///
/// # Errors
///
/// The kernel's: `PermissionDenied` without the right to make one (`CAP_NET_ADMIN`), `ResourceBusy` if there is one of this name that somebody
/// has open; `InvalidInput` if the name is empty or longer than 15 bytes.
pub fn open_tap(name: &str) -> io::Result<OwnedFd> {
    let mut bytes = [0; tun::NAME_BYTES];
    let room = bytes.len() - 1;
    if name.is_empty() || name.len() > room || name.contains('\0') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    let fd = open_file("/dev/net/tun")?;
    tun::set_interface(&fd, bytes)?;
    tun::set_offload(&fd)?;
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        for name in ["", "a-name-of-sixteen", "a\0b"] {
            let error = open_tap(name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
