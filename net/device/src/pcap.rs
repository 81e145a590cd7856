//! A decorator that writes every frame to a capture, in the classic pcap format (draft-ietf-opsawg-pcap).

use alloc::vec::Vec;
use core::task::{Context, Poll};

use crate::{Capabilities, Device, RxChecksum, RxFrame, TxChecksum, TxMeta, TxSlot, complete};

/// How many bytes of a frame are captured at most: more than any frame of the devices here has.
pub const SNAP_LEN: u32 = 65_535;

/// The file header's magic number for timestamps in nanoseconds, little-endian.
const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Link type Ethernet (LINKTYPE_ETHERNET of the registry at tcpdump.org).
const LINKTYPE_ETHERNET: u32 = 1;

/// Which way a frame went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The device sent it.
    Sent,
    /// The device received it.
    Received,
}

/// Where a capture goes, and what time it is.
pub trait PcapSink {
    /// Nanoseconds since the Unix epoch (or since any other origin).
    fn now_ns(&mut self) -> u64;

    /// Appends bytes to the capture. What cannot be kept is the sink's to drop: a capture never holds up traffic.
    fn write(&mut self, bytes: &[u8]);
}

/// The header that a capture starts with.
pub fn global_header() -> [u8; 24] {
    let mut header = [0; 24];
    header[..4].copy_from_slice(&MAGIC_NANOSECONDS.to_le_bytes());
    header[4..6].copy_from_slice(&2u16.to_le_bytes());
    header[6..8].copy_from_slice(&4u16.to_le_bytes());
    header[16..20].copy_from_slice(&SNAP_LEN.to_le_bytes());
    header[20..24].copy_from_slice(&LINKTYPE_ETHERNET.to_le_bytes());
    header
}

/// The header in front of each frame: `captured` bytes follow, of `original` that the frame had.
pub fn record_header(now_ns: u64, captured: u32, original: u32) -> [u8; 16] {
    let mut header = [0; 16];
    // The format's seconds are 32 bits wide.
    let seconds = (now_ns / 1_000_000_000) as u32;
    let nanos = (now_ns % 1_000_000_000) as u32;
    for (field, value) in header
        .chunks_exact_mut(4)
        .zip([seconds, nanos, captured, original])
    {
        field.copy_from_slice(&value.to_le_bytes());
    }
    header
}

/// A device whose traffic is captured. Checksums that the device leaves to others are completed in the capture, so that readers of it
/// do not cry wolf; the frames themselves are not touched.
#[derive(Debug)]
pub struct Captured<D, S> {
    device: D,
    sink: S,
    scratch: Vec<u8>,
}

impl<D: Device, S: PcapSink> Captured<D, S> {
    /// Captures `device`'s traffic to `sink`, beginning with the capture's header.
    pub fn new(device: D, mut sink: S) -> Self {
        sink.write(&global_header());
        Self {
            device,
            sink,
            scratch: Vec::new(),
        }
    }

    /// The device and the sink.
    pub fn into_parts(self) -> (D, S) {
        (self.device, self.sink)
    }
}

/// Writes one frame; `blank` completes the checksum in a copy.
fn record(sink: &mut impl PcapSink, scratch: &mut Vec<u8>, frame: &[u8], blank: bool) {
    let original = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let captured = original.min(SNAP_LEN);
    let now = sink.now_ns();
    sink.write(&record_header(now, captured, original));
    if blank {
        scratch.clear();
        scratch.extend_from_slice(frame);
        // A frame in which nothing can be completed is shown as it is.
        complete(scratch).ok();
        sink.write(&scratch[..captured as usize]);
    } else {
        sink.write(&frame[..captured as usize]);
    }
}

impl<D: Device, S: PcapSink> Device for Captured<D, S> {
    type TxSlot<'a>
        = Capturing<'a, D::TxSlot<'a>, S>
    where
        Self: 'a;
    type RxFrame<'a>
        = D::RxFrame<'a>
    where
        Self: 'a;

    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn transmit(&mut self) -> Option<Self::TxSlot<'_>> {
        Some(Capturing {
            slot: self.device.transmit()?,
            sink: &mut self.sink,
            scratch: &mut self.scratch,
        })
    }

    fn receive(&mut self) -> Option<Self::RxFrame<'_>> {
        let mut frame = self.device.receive()?;
        let blank = frame.meta().checksum == RxChecksum::Blank;
        record(&mut self.sink, &mut self.scratch, frame.bytes(), blank);
        Some(frame)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.device.poll_ready(cx)
    }

    fn flush(&mut self) {
        self.device.flush();
    }
}

/// Room for a frame that will be captured as well.
#[derive(Debug)]
pub struct Capturing<'a, T, S> {
    slot: T,
    sink: &'a mut S,
    scratch: &'a mut Vec<u8>,
}

impl<T: TxSlot, S: PcapSink> TxSlot for Capturing<'_, T, S> {
    fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        self.slot.send(len, |frame| {
            let meta = fill(frame);
            let blank = meta.checksum == TxChecksum::Blank;
            record(self.sink, self.scratch, frame, blank);
            meta
        });
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{MacAddr, PairConfig, pair};

    #[derive(Default)]
    struct Tape(Vec<u8>);

    impl PcapSink for Tape {
        fn now_ns(&mut self) -> u64 {
            3_000_000_007
        }

        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }

    #[test]
    fn both_directions_are_captured() {
        let (a, mut b) = pair([MacAddr([2; 6]), MacAddr([4; 6])], PairConfig::default());
        let mut a = Captured::new(a, Tape::default());
        for device in 0..2 {
            let fill = |frame: &mut [u8]| {
                frame.fill(device + 1);
                TxMeta::default()
            };
            if device == 0 {
                a.transmit().unwrap().send(60, fill);
                a.flush();
            } else {
                b.transmit().unwrap().send(61, fill);
                b.flush();
            }
        }
        a.receive().unwrap();
        let (_, tape) = a.into_parts();
        assert_eq!(tape.0.len(), 24 + 16 + 60 + 16 + 61);
        assert_eq!(tape.0[..4], [0x4d, 0x3c, 0xb2, 0xa1]);
        assert_eq!(
            tape.0[24..40],
            [3, 0, 0, 0, 7, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0]
        );
        assert_eq!(tape.0[40..100], [1; 60]);
        assert_eq!(tape.0[116..], [2; 61]);
    }
}
