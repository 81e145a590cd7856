//! What devices are plugged into in this Linux.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use morgana_linux::{
    DiskBackEnd, JoinError, LoopAccess, LoopDevice, disk_back_end, interface, is_served,
    join_bridge,
};
use morgana_toolstack::{
    BlockDevice, DiskAccess, DiskId, Opened, OutletError, Outlets, Plugged, VifId,
};

/// This Linux.
pub(crate) struct Machine;

impl Outlets for Machine {
    fn plug(&self, vif: VifId, bridge: &str) -> Result<Plugged, OutletError> {
        let VifId { domain, number } = vif;
        // Asked in this order: what the driver has made meanwhile is found the next time.
        let served = is_served(domain, number);
        match join_bridge(&interface(domain, number), bridge) {
            Ok(()) => Ok(Plugged::InBridge),
            Err(JoinError::NoInterface) if served => Ok(Plugged::NotYet),
            Err(JoinError::NoInterface) => Ok(Plugged::NotOurs),
            Err(JoinError::NoBridge) => Err(OutletError::NoBridge),
            Err(JoinError::Refused(error)) => Err(refused(&error)),
        }
    }

    type Held = LoopDevice;

    fn attach(
        &self,
        path: &str,
        access: DiskAccess,
    ) -> Result<(BlockDevice, LoopDevice), OutletError> {
        let path = Path::new(path);
        if !path.is_file() {
            return Err(OutletError::NotABlockDevice);
        }
        let access = match access {
            DiskAccess::ReadOnly => LoopAccess::ReadOnly,
            DiskAccess::ReadWrite => LoopAccess::ReadWrite,
        };
        let made = LoopDevice::of_file(path, access);
        let made = made.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OutletError::NoLoopDevice,
            _ => refused(&error),
        })?;
        let number = made.number().map_err(|error| refused(&error))?;
        Ok((device(number), made))
    }

    fn is_open(&self, disk: DiskId) -> Opened {
        match disk_back_end(disk.domain, disk.number) {
            DiskBackEnd::Open => Opened::Open,
            DiskBackEnd::NotYet => Opened::NotYet,
            DiskBackEnd::NotLinuxs => Opened::NotOurs,
        }
    }

    fn block_device(&self, path: &str) -> Result<BlockDevice, OutletError> {
        let found = fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OutletError::NotABlockDevice,
            _ => refused(&error),
        })?;
        if !found.file_type().is_block_device() {
            return Err(OutletError::NotABlockDevice);
        }
        Ok(device(found.rdev()))
    }
}

/// The two halves of a device's number, as glibc's `gnu_dev_major` and `gnu_dev_minor` have them.
fn device(number: u64) -> BlockDevice {
    let major = number >> 8 & 0xfff | number >> 32 & 0xffff_f000;
    let minor = number & 0xff | number >> 12 & 0xffff_ff00;
    BlockDevice {
        major: major as u32,
        minor: minor as u32,
    }
}

fn refused(error: &io::Error) -> OutletError {
    OutletError::Refused(error.raw_os_error().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_block_device_is_refused() {
        for path in ["/dev/null", "/", "/no/such/thing"] {
            let refused = OutletError::NotABlockDevice;
            assert_eq!(Machine.block_device(path), Err(refused));
            let attached = Machine.attach(path, DiskAccess::ReadOnly);
            assert_eq!(attached.unwrap_err(), refused);
        }
    }

    #[test]
    fn a_number_has_two_halves() {
        let (major, minor) = (7, 3);
        assert_eq!(device(0x703), BlockDevice { major, minor });
        // Halves of more than 8 bits are cut in pieces.
        let (major, minor) = (259, 0x12345);
        assert_eq!(device(0x1231_0345), BlockDevice { major, minor });
    }
}
