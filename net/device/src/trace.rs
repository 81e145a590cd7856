//! A decorator that shows every frame to an observer.

use core::task::{Context, Poll};

use crate::{Capabilities, Device, Direction, RxFrame, TxMeta, TxSlot};

/// Sees frames go by.
pub trait TraceSink {
    /// A frame went in that direction.
    fn frame(&mut self, direction: Direction, frame: &[u8]);
}

impl<F: FnMut(Direction, &[u8])> TraceSink for F {
    fn frame(&mut self, direction: Direction, frame: &[u8]) {
        self(direction, frame);
    }
}

/// A device whose frames an observer sees: those that are sent as they are handed over, those that are received as they are taken.
#[derive(Debug)]
pub struct Traced<D, S> {
    device: D,
    sink: S,
}

impl<D: Device, S: TraceSink> Traced<D, S> {
    /// Shows `device`'s frames to `sink`.
    pub fn new(device: D, sink: S) -> Self {
        Self { device, sink }
    }
}

impl<D: Device, S: TraceSink> Device for Traced<D, S> {
    type TxSlot<'a>
        = Tracing<'a, D::TxSlot<'a>, S>
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
        Some(Tracing {
            slot: self.device.transmit()?,
            sink: &mut self.sink,
        })
    }

    fn receive(&mut self) -> Option<Self::RxFrame<'_>> {
        let mut frame = self.device.receive()?;
        self.sink.frame(Direction::Received, frame.bytes());
        Some(frame)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.device.poll_ready(cx)
    }

    fn flush(&mut self) {
        self.device.flush();
    }
}

/// Room for a frame that will be shown.
#[derive(Debug)]
pub struct Tracing<'a, T, S> {
    slot: T,
    sink: &'a mut S,
}

impl<T: TxSlot, S: TraceSink> TxSlot for Tracing<'_, T, S> {
    fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        self.slot.send(len, |frame| {
            let meta = fill(frame);
            self.sink.frame(Direction::Sent, frame);
            meta
        });
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{MacAddr, PairConfig, pair};
    use std::vec;

    #[test]
    fn the_observer_sees_what_is_sent_and_received() {
        let (a, b) = pair([MacAddr([2; 6]), MacAddr([4; 6])], PairConfig::default());
        let mut seen = vec![];
        let mut a = Traced::new(a, |direction, frame: &[u8]| {
            seen.push((direction, frame.len()));
        });
        let fill = |_: &mut [u8]| TxMeta::default();
        a.transmit().unwrap().send(60, fill);
        let mut b = b;
        b.transmit().unwrap().send(70, fill);
        b.flush();
        a.receive().unwrap();
        assert_eq!(seen, [(Direction::Sent, 60), (Direction::Received, 70)]);
    }
}
