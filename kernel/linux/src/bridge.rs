//! Network interfaces of this Linux, and its bridges.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;

use morgana_hal::DomId;

use crate::ioctl::net::{self, NAME_BYTES};

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

/// Why an interface is not in a bridge.
#[derive(Debug)]
pub enum JoinError {
    /// There is no such interface, or not yet.
    NoInterface,
    /// There is no such bridge.
    NoBridge,
    /// What the kernel says: `PermissionDenied` without the right to do so (`CAP_NET_ADMIN`); `InvalidInput` if a name is empty or longer than 15 bytes.
    Refused(io::Error),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInterface => f.write_str("there is no such interface"),
            Self::NoBridge => f.write_str("there is no such bridge"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<io::Error> for JoinError {
    fn from(error: io::Error) -> Self {
        Self::Refused(error)
    }
}

/// Puts a network interface into a bridge, unless it is in it, and brings it up.
///
/// # Errors
///
/// [`JoinError`].
pub fn join_bridge(interface: &str, bridge: &str) -> Result<(), JoinError> {
    let (name, bridge_name) = (zero_terminated(interface)?, zero_terminated(bridge)?);
    let folder = Path::new("/sys/class/net");
    let index = index(&folder.join(interface))?;
    if !folder.join(bridge).join("bridge").is_dir() {
        return Err(JoinError::NoBridge);
    }
    // Any socket will do to ask the kernel about interfaces.
    let socket = OwnedFd::from(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?);
    match net::add_to_bridge(&socket, bridge_name, index) {
        Ok(()) | Err(rustix::io::Errno::BUSY) => {}
        Err(errno) => return Err(io::Error::from(errno).into()),
    }
    be_a_mere_port(interface);
    Ok(net::bring_up(&socket, name).map_err(io::Error::from)?)
}

/// Has Linux take no IPv6 address of its own there, for which it would send and ask when the interface comes up: what comes in at a port is the bridge's. A Linux without IPv6
/// has no such setting.
fn be_a_mere_port(interface: &str) {
    let settings = Path::new("/proc/sys/net/ipv6/conf").join(interface);
    let _ = fs::write(settings.join("disable_ipv6"), "1");
}

/// The number of an interface whose folder this is. While Linux makes the interface, the folder is there already and the file is not (`device_add`).
fn index(folder: &Path) -> Result<i32, JoinError> {
    let index = match fs::read_to_string(folder.join("ifindex")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(JoinError::NoInterface);
        }
        index => index?,
    };
    let index = index.trim().parse();
    Ok(index.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?)
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
    fn it_is_told_which_of_the_two_is_not_there() {
        let error = join_bridge("no-such-thing", "nor-this").unwrap_err();
        assert!(matches!(error, JoinError::NoInterface), "{error}");
        // The first is there on any Linux; the second is no bridge.
        if Path::new("/sys/class/net/lo").exists() {
            let error = join_bridge("lo", "lo").unwrap_err();
            assert!(matches!(error, JoinError::NoBridge), "{error}");
        }
    }

    #[test]
    fn an_interface_that_is_being_made_is_not_there_yet() {
        let folder = std::env::temp_dir().join(format!("morgana-interface-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let early = index(&folder);
        fs::write(folder.join("ifindex"), "7\n").unwrap();
        let later = index(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(early, Err(JoinError::NoInterface)), "{early:?}");
        assert_eq!(later.unwrap(), 7);
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        for name in ["", "a-name-of-sixteen", "a\0b", "a/b", ".."] {
            let JoinError::Refused(error) = join_bridge(name, "xenbr0").unwrap_err() else {
                panic!("{name:?}");
            };
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
