//! What kind of device it is.

use bitflags::bitflags;

/// The back end's key `info` (blkif.h, `VDISK_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Info(u32);

bitflags! {
    impl Info: u32 {
        /// A CD-ROM drive.
        const CDROM = 1 << 0;
        /// The medium can be taken out.
        const REMOVABLE = 1 << 1;
        /// It cannot be written.
        const READONLY = 1 << 2;
    }
}
