//! What goes along with a frame: the state of its checksum, and whether it is a large TCP frame that is still to be cut into segments.

use core::num::NonZeroU16;

use crate::{GsoProtocol, Offload, RxChecksum, TxChecksum};

/// A frame that holds more of a TCP stream than a link takes at once: whoever needs ordinary frames cuts it.
///
/// It is one IP packet with one TCP header, as long as a segment of all the payload would be, and its checksum is blank. The last segment may be
/// shorter than the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segmentation {
    /// Over which version of IP.
    pub kind: GsoProtocol,
    /// Payload bytes of one segment; headers come on top.
    pub size: NonZeroU16,
}

/// The large TCP frames that a side takes, in one direction (netif.h: `feature-gso-tcpv4`, `feature-gso-tcpv6`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SegmentationOffload {
    /// For which IP versions.
    pub kinds: Offload,
    /// The length of the longest frame in bytes, from the Ethernet header on; at most [`MAX_PACKET`](crate::MAX_PACKET). Means nothing
    /// where `kinds` is [`Offload::None`].
    pub max_frame: usize,
}

/// What a sender tells about a frame. The default is an ordinary frame whose checksum is complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TxMeta {
    /// The state of the transport checksum.
    pub checksum: TxChecksum,
    /// That it is a large TCP frame; its checksum is [`TxChecksum::Blank`] then.
    pub segmentation: Option<Segmentation>,
}

/// What a device tells about a frame that it received. The default is an ordinary frame that nobody has verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RxMeta {
    /// The state of the transport checksum.
    pub checksum: RxChecksum,
    /// That it is a large TCP frame; its checksum is [`RxChecksum::Blank`] then.
    pub segmentation: Option<Segmentation>,
}

impl SegmentationOffload {
    /// No large frame is taken.
    pub const NONE: Self = Self {
        kinds: Offload::None,
        max_frame: 0,
    };

    /// Whether a large frame of `len` bytes is welcome.
    pub const fn takes(&self, segmentation: Segmentation, len: usize) -> bool {
        self.kinds.includes(segmentation.kind) && len <= self.max_frame
    }
}

impl From<TxChecksum> for TxMeta {
    /// An ordinary frame with such a checksum.
    fn from(checksum: TxChecksum) -> Self {
        Self {
            checksum,
            segmentation: None,
        }
    }
}

impl From<RxChecksum> for RxMeta {
    /// An ordinary frame with such a checksum.
    fn from(checksum: RxChecksum) -> Self {
        Self {
            checksum,
            segmentation: None,
        }
    }
}

impl From<TxMeta> for RxMeta {
    /// What the receiver hears of a frame that was sent so.
    fn from(meta: TxMeta) -> Self {
        Self {
            checksum: match meta.checksum {
                TxChecksum::Complete => RxChecksum::Unverified,
                TxChecksum::Blank => RxChecksum::Blank,
            },
            segmentation: meta.segmentation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_frame_is_taken_by_kind_and_length() {
        let segmentation = Segmentation {
            kind: GsoProtocol::TcpV6,
            size: NonZeroU16::MIN,
        };
        for (kinds, takes) in [
            (Offload::None, false),
            (Offload::Ipv4, false),
            (Offload::Ipv6, true),
            (Offload::Both, true),
        ] {
            let offload = SegmentationOffload {
                kinds,
                max_frame: 9000,
            };
            assert_eq!(offload.takes(segmentation, 9000), takes);
            assert!(!offload.takes(segmentation, 9001));
        }
        assert!(!SegmentationOffload::NONE.takes(segmentation, 0));
    }
}
