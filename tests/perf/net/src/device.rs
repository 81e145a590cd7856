//! Connected links as devices, without the handshake by xenstore.

use std::task::{Context, Poll};

use morgana_emul::EmulPlatform;
use morgana_net_device::{
    BACK_END_MAC, Capabilities, Device, MacAddr, Offload, RxFrame, RxMeta, SegmentationOffload,
    TxMeta, TxSlot,
};
use morgana_netback as netback;
use morgana_netfront as netfront;

/// The front end's address.
const FRONT_MAC: MacAddr = MacAddr([0, 0x16, 0x3e, 0, 0, 1]);
const IP_MTU: usize = 1500;
/// What netback takes for any front end.
const LARGE: SegmentationOffload = SegmentationOffload {
    kinds: Offload::Both,
    max_frame: 65_535,
};

macro_rules! device {
    ($name:ident, $driver:ident, $slot:ident, $frame:ident, $capabilities:expr) => {
        /// A link.
        pub(crate) struct $name(pub(crate) $driver::Link<EmulPlatform>);

        pub(crate) struct $slot<'a>($driver::TxSlot<&'a mut $driver::Link<EmulPlatform>>);

        pub(crate) struct $frame<'a>($driver::RxFrame<&'a mut $driver::Link<EmulPlatform>>);

        impl Device for $name {
            type TxSlot<'a> = $slot<'a>;
            type RxFrame<'a> = $frame<'a>;

            fn capabilities(&self) -> Capabilities {
                let capabilities: fn(&Self) -> Capabilities = $capabilities;
                capabilities(self)
            }

            fn transmit(&mut self) -> Option<$slot<'_>> {
                self.0.transmit().map($slot)
            }

            fn receive(&mut self) -> Option<$frame<'_>> {
                self.0.receive().map($frame)
            }

            fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
                self.0.poll_ready(cx)
            }

            fn flush(&mut self) {
                self.0.flush();
            }
        }

        impl TxSlot for $slot<'_> {
            fn send(self, len: usize, fill: impl FnOnce(&mut [u8]) -> TxMeta) {
                self.0.send(len, fill);
            }
        }

        impl RxFrame for $frame<'_> {
            fn meta(&self) -> RxMeta {
                self.0.meta()
            }

            fn bytes(&mut self) -> &mut [u8] {
                self.0.bytes()
            }
        }
    };
}

device!(Front, netfront, FrontSlot, FrontFrame, |front| {
    Capabilities {
        mac: FRONT_MAC,
        ip_mtu: IP_MTU,
        transmit_offload: front.0.transmit_offload(),
        segmentation: front.0.segmentation(),
    }
});

device!(Back, netback, BackSlot, BackFrame, |_| Capabilities {
    mac: BACK_END_MAC,
    ip_mtu: IP_MTU,
    transmit_offload: Offload::Both,
    segmentation: LARGE,
});
