//! What stands before each frame (`struct virtio_net_hdr`), in the machine's own byte order.

use core::num::NonZeroU16;

use morgana_net_device::{GsoProtocol, RxChecksum, RxMeta, Segmentation, TxChecksum, TxMeta};
use morgana_netif::ChecksumPlace;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The header as it stands there.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Header {
    flags: u8,
    gso_type: u8,
    /// Bytes of all headers of a large frame.
    header_length: u16,
    /// Payload bytes of one segment of a large frame.
    gso_size: u16,
    /// Where the sum begins, in bytes from the frame's start.
    checksum_start: u16,
    /// Where its field is, in bytes from there.
    checksum_offset: u16,
}

/// Its length in bytes.
pub(crate) const HEADER_BYTES: usize = size_of::<Header>();
const _: () = assert!(HEADER_BYTES == 10);

/// `VIRTIO_NET_HDR_F_NEEDS_CSUM`, `VIRTIO_NET_HDR_F_DATA_VALID`.
const NEEDS_CHECKSUM: u8 = 1;
const DATA_VALID: u8 = 2;
/// `VIRTIO_NET_HDR_GSO_NONE`, `VIRTIO_NET_HDR_GSO_TCPV4`, `VIRTIO_NET_HDR_GSO_TCPV6`, `VIRTIO_NET_HDR_GSO_ECN`.
const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
const GSO_ECN: u8 = 0x80;

impl Header {
    /// What the kernel is told of a frame. A frame of which it is said that its checksum is blank, and which has none, goes as it is.
    pub(crate) fn of(frame: &[u8], meta: TxMeta) -> Self {
        if meta.checksum == TxChecksum::Complete {
            return Self::default();
        }
        let Some(place) = ChecksumPlace::find(frame) else {
            return Self::default();
        };
        let header = Self {
            flags: NEEDS_CHECKSUM,
            checksum_start: place.start as u16,
            checksum_offset: (place.field - place.start) as u16,
            ..Self::default()
        };
        match meta.segmentation {
            None => header,
            Some(Segmentation { kind, size }) => Self {
                gso_type: match kind {
                    GsoProtocol::TcpV4 => GSO_TCPV4,
                    GsoProtocol::TcpV6 => GSO_TCPV6,
                },
                gso_size: size.get(),
                header_length: place.payload as u16,
                ..header
            },
        }
    }

    /// What the kernel says of a frame. A blank checksum where no other device expects one is completed. `None` if the frame is of no use.
    pub(crate) fn read(&self, frame: &mut [u8]) -> Option<RxMeta> {
        let checksum = if self.flags & NEEDS_CHECKSUM != 0 {
            self.blank(frame)?
        } else if self.flags & DATA_VALID != 0 {
            RxChecksum::Validated
        } else {
            RxChecksum::Unverified
        };
        let kind = match self.gso_type & !GSO_ECN {
            GSO_NONE => return Some(checksum.into()),
            GSO_TCPV4 => GsoProtocol::TcpV4,
            GSO_TCPV6 => GsoProtocol::TcpV6,
            _ => return None,
        };
        let size = NonZeroU16::new(self.gso_size)?;
        // Without a blank checksum a large frame is not what it is said to be.
        (checksum == RxChecksum::Blank).then_some(RxMeta {
            checksum,
            segmentation: Some(Segmentation { kind, size }),
        })
    }

    fn blank(&self, frame: &mut [u8]) -> Option<RxChecksum> {
        let start = usize::from(self.checksum_start);
        let field = start + usize::from(self.checksum_offset);
        match ChecksumPlace::find(frame) {
            Some(place) if (place.start, place.field) == (start, field) => Some(RxChecksum::Blank),
            // Another protocol, or a tunnel: nobody behind this knows how to complete it.
            _ => sum_up(frame, start, field).map(|()| RxChecksum::Unverified),
        }
    }
}

/// RFC 1071: sums from `start` on, and puts the complement into `field`, which holds the sum of what belongs to it besides.
fn sum_up(frame: &mut [u8], start: usize, field: usize) -> Option<()> {
    let place = field..field + 2;
    frame.get(place.clone())?;
    let mut sum = 0u32;
    for pair in frame.get(start..)?.chunks(2) {
        let word = [pair[0], pair.get(1).copied().unwrap_or(0)];
        // A frame has far fewer than 2^16 words.
        sum += u32::from(u16::from_be_bytes(word));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    frame[place].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use morgana_net_device::{Offload, blank_or_complete};

    /// An IPv4 TCP frame with a blank checksum.
    fn tcp(payload: usize) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend(((40 + payload) as u16).to_be_bytes());
        frame.extend([0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([
            0, 80, 0, 81, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, 0x10, 1, 0, 0, 0, 0, 0,
        ]);
        frame.extend((0..payload).map(|n| n as u8));
        blank_or_complete(&mut frame, Offload::Both);
        frame
    }

    fn large(size: u16) -> TxMeta {
        TxMeta {
            checksum: TxChecksum::Blank,
            segmentation: NonZeroU16::new(size).map(|size| Segmentation {
                kind: GsoProtocol::TcpV4,
                size,
            }),
        }
    }

    #[test]
    fn what_is_said_of_a_frame_is_understood_at_the_other_end() {
        let metas = [TxMeta::default(), TxChecksum::Blank.into(), large(1000)];
        for meta in metas {
            let mut frame = tcp(3000);
            let header = Header::of(&frame, meta);
            assert_eq!(header.read(&mut frame), Some(meta.into()));
            assert_eq!(frame, tcp(3000));
        }
        let header = Header::of(&tcp(3000), large(1000));
        assert_eq!((header.checksum_start, header.checksum_offset), (34, 16));
        assert_eq!((header.header_length, header.gso_size), (54, 1000));
    }

    #[test]
    fn a_blank_checksum_in_an_unusual_place_is_completed() {
        // As if the sum were over the whole packet, and its place in the IPv4 header.
        let mut frame = tcp(10);
        let header = Header {
            flags: NEEDS_CHECKSUM,
            checksum_start: 14,
            checksum_offset: 10,
            ..Header::default()
        };
        assert_eq!(header.read(&mut frame), Some(RxChecksum::Unverified.into()));
        // RFC 1071: all that the sum is over, with the checksum, gives ones only.
        let sum: u32 = frame[14..]
            .chunks(2)
            .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
            .sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }

    #[test]
    fn nonsense_costs_the_frame() {
        let mut frame = tcp(10);
        let blank = Header {
            flags: NEEDS_CHECKSUM,
            checksum_start: 60,
            checksum_offset: 60,
            ..Header::default()
        };
        assert_eq!(blank.read(&mut frame), None);
        let large = Header {
            gso_type: GSO_TCPV4,
            gso_size: 1000,
            ..Header::default()
        };
        assert_eq!(large.read(&mut frame), None);
        let unknown = Header {
            gso_type: 3,
            ..Header::default()
        };
        assert_eq!(unknown.read(&mut frame), None);
        assert_eq!(Header::default().read(&mut []), Some(RxMeta::default()));
    }
}
