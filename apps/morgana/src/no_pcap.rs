//! In place of captures, in images without the feature `pcap`.

use core::fmt;

use morgana_hal::Platform;
use morgana_net_device::Device;

use crate::Domain;

/// Nothing is recorded.
///
/// # Errors
///
/// [`CaptureError`] if the command line wants it.
pub(crate) async fn record<P: Platform, D: Device>(
    domain: &Domain<P>,
    device: D,
) -> Result<D, CaptureError> {
    match domain.command_line().value("pcap") {
        None | Some("off") => Ok(device),
        Some(_) => Err(CaptureError::NotInThisImage),
    }
}

/// Why the network interface cannot be recorded as `pcap=` wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaptureError {
    /// The image was built without the feature `pcap`.
    NotInThisImage,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this image was built without the feature pcap")
    }
}

impl core::error::Error for CaptureError {}
