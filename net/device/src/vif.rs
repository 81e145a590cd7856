//! Xen's network drivers as devices: the front end of this domain's interface, and the back end of another's.

use core::cell::RefMut;
use core::task::{Context, Poll};

use morgana_hal::Platform;
use morgana_netback::Netback;
use morgana_netfront::Netfront;

use crate::{Capabilities, Device, MacAddr, RxFrame, RxMeta, TxMeta, TxSlot};

/// The Ethernet address of the near side of a back end, which has none of its own: what Linux gives to the interfaces of its back ends.
/// It is the greatest that a station can have, so that a bridge never takes it for its own.
pub const BACK_END_MAC: MacAddr = MacAddr([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]);

macro_rules! device {
    ($driver:ident, $module:ident, $mac:expr) => {
        impl<P: Platform> Device for $driver<P> {
            type TxSlot<'a> = $module::TxSlot<RefMut<'a, $module::Link<P>>>;
            type RxFrame<'a> = $module::RxFrame<RefMut<'a, $module::Link<P>>>;

            fn capabilities(&self) -> Capabilities {
                let mac: fn(&Self) -> MacAddr = $mac;
                Capabilities {
                    mac: mac(self),
                    ip_mtu: self.ip_mtu(),
                    transmit_offload: self.transmit_offload(),
                    segmentation: self.segmentation(),
                }
            }

            fn transmit(&mut self) -> Option<Self::TxSlot<'_>> {
                $driver::transmit(self)
            }

            fn receive(&mut self) -> Option<Self::RxFrame<'_>> {
                $driver::receive(self)
            }

            fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
                $driver::poll_ready(self, cx)
            }

            fn flush(&mut self) {
                $driver::flush(self);
            }
        }

        impl<P: Platform> TxSlot for $module::TxSlot<RefMut<'_, $module::Link<P>>> {
            fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
                $module::TxSlot::send(self, len, fill);
            }
        }

        impl<P: Platform> RxFrame for $module::RxFrame<RefMut<'_, $module::Link<P>>> {
            fn meta(&self) -> RxMeta {
                $module::RxFrame::meta(self)
            }

            fn bytes(&mut self) -> &mut [u8] {
                $module::RxFrame::bytes(self)
            }
        }
    };
}

device!(Netfront, morgana_netfront, |front| front.mac());
device!(Netback, morgana_netback, |_| BACK_END_MAC);
