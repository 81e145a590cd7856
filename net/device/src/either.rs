//! A device of one of two types, where several types of devices are used side by side.

use core::task::{Context, Poll};

use morgana_exec::Either;

use crate::{Capabilities, Device, RxFrame, RxMeta, TxMeta, TxSlot};

/// Does the same with whichever it is.
macro_rules! either {
    ($either:expr, $one:ident => $does:expr) => {
        match $either {
            Either::First($one) => $does,
            Either::Second($one) => $does,
        }
    };
}

impl<A: Device, B: Device> Device for Either<A, B> {
    type TxSlot<'a>
        = Either<A::TxSlot<'a>, B::TxSlot<'a>>
    where
        Self: 'a;
    type RxFrame<'a>
        = Either<A::RxFrame<'a>, B::RxFrame<'a>>
    where
        Self: 'a;

    fn capabilities(&self) -> Capabilities {
        either!(self, device => device.capabilities())
    }

    fn transmit(&mut self) -> Option<Self::TxSlot<'_>> {
        match self {
            Self::First(device) => device.transmit().map(Either::First),
            Self::Second(device) => device.transmit().map(Either::Second),
        }
    }

    fn receive(&mut self) -> Option<Self::RxFrame<'_>> {
        match self {
            Self::First(device) => device.receive().map(Either::First),
            Self::Second(device) => device.receive().map(Either::Second),
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        either!(self, device => device.poll_ready(cx))
    }

    fn flush(&mut self) {
        either!(self, device => device.flush());
    }
}

impl<A: TxSlot, B: TxSlot> TxSlot for Either<A, B> {
    fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
        either!(self, slot => slot.send(len, fill));
    }
}

impl<A: RxFrame, B: RxFrame> RxFrame for Either<A, B> {
    fn meta(&self) -> RxMeta {
        either!(self, frame => frame.meta())
    }

    fn bytes(&mut self) -> &mut [u8] {
        either!(self, frame => frame.bytes())
    }
}
