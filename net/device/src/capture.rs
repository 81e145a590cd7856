//! A decorator that shows every frame to a recorder; the crate's `pcapng` is the format of most captures.

use alloc::vec::Vec;
use core::task::{Context, Poll};

use crate::{Capabilities, Device, RxChecksum, RxFrame, TxChecksum, TxMeta, TxSlot, complete};

/// Which way a frame went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The device sent it.
    Sent,
    /// The device received it.
    Received,
}

/// Where a capture goes.
pub trait FrameSink {
    /// Whether frames are wanted. Where not, nothing is done for them.
    fn is_recording(&self) -> bool;

    /// Takes a frame. What cannot be kept is the sink's to drop: a capture never holds up traffic.
    fn frame(&mut self, direction: Direction, frame: &[u8]);
}

/// A sink that may not be there.
impl<S: FrameSink> FrameSink for Option<S> {
    fn is_recording(&self) -> bool {
        self.as_ref().is_some_and(S::is_recording)
    }

    fn frame(&mut self, direction: Direction, frame: &[u8]) {
        if let Some(sink) = self {
            sink.frame(direction, frame);
        }
    }
}

/// A device whose traffic is captured. Checksums that the device leaves to others are completed in the capture, so that readers of it
/// do not cry wolf; the frames themselves are not touched.
#[derive(Debug)]
pub struct Captured<D, S> {
    device: D,
    sink: S,
    scratch: Vec<u8>,
}

impl<D: Device, S: FrameSink> Captured<D, S> {
    /// Captures `device`'s traffic to `sink`.
    pub fn new(device: D, sink: S) -> Self {
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

/// Shows one frame; `blank` completes the checksum in a copy.
fn record(
    sink: &mut impl FrameSink,
    scratch: &mut Vec<u8>,
    direction: Direction,
    frame: &[u8],
    blank: bool,
) {
    if !blank {
        return sink.frame(direction, frame);
    }
    scratch.clear();
    scratch.extend_from_slice(frame);
    // A frame in which nothing can be completed is shown as it is.
    complete(scratch).ok();
    sink.frame(direction, scratch);
}

impl<D: Device, S: FrameSink> Device for Captured<D, S> {
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
        if self.sink.is_recording() {
            let blank = frame.meta().checksum == RxChecksum::Blank;
            let (sink, scratch) = (&mut self.sink, &mut self.scratch);
            record(sink, scratch, Direction::Received, frame.bytes(), blank);
        }
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

impl<T: TxSlot, S: FrameSink> TxSlot for Capturing<'_, T, S> {
    fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        self.slot.send(len, |frame| {
            let meta = fill(frame);
            if self.sink.is_recording() {
                let blank = meta.checksum == TxChecksum::Blank;
                record(self.sink, self.scratch, Direction::Sent, frame, blank);
            }
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
    struct Tape(Vec<(Direction, Vec<u8>)>);

    impl FrameSink for Tape {
        fn is_recording(&self) -> bool {
            true
        }

        fn frame(&mut self, direction: Direction, frame: &[u8]) {
            self.0.push((direction, frame.to_vec()));
        }
    }

    #[test]
    fn both_directions_are_captured() {
        let (a, mut b) = pair([MacAddr([2; 6]), MacAddr([4; 6])], PairConfig::default());
        let mut a = Captured::new(a, Some(Tape::default()));
        a.transmit().unwrap().send(60, |frame| {
            frame.fill(1);
            TxMeta::default()
        });
        a.flush();
        b.transmit().unwrap().send(61, |frame| {
            frame.fill(2);
            TxMeta::default()
        });
        b.flush();
        a.receive().unwrap();
        let (_, tape) = a.into_parts();
        let expected = [
            (Direction::Sent, std::vec![1; 60]),
            (Direction::Received, std::vec![2; 61]),
        ];
        assert_eq!(tape.unwrap().0, expected);
    }

    #[test]
    fn a_sink_that_is_not_there_is_shown_nothing() {
        let (a, mut b) = pair([MacAddr([2; 6]), MacAddr([4; 6])], PairConfig::default());
        let mut a = Captured::new(a, None::<Tape>);
        a.transmit().unwrap().send(60, |frame| {
            frame.fill(1);
            TxMeta::default()
        });
        a.flush();
        assert!(b.receive().is_some());
    }
}
