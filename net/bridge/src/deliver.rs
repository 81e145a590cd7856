//! Giving a frame to a port in the form that the port takes.

use morgana_net_device::{
    Capabilities, Device, RxChecksum, RxMeta, Segmentation, Segments, TxChecksum, TxMeta, TxSlot,
    complete,
};

use crate::PortStats;

/// A frame on its way through a bridge.
pub(crate) struct Frame<'a> {
    pub(crate) bytes: &'a mut [u8],
    pub(crate) meta: TxMeta,
}

impl<'a> Frame<'a> {
    /// As it came from a device.
    pub(crate) fn new(bytes: &'a mut [u8], meta: RxMeta) -> Self {
        let checksum = match meta.checksum {
            RxChecksum::Unverified | RxChecksum::Validated => TxChecksum::Complete,
            RxChecksum::Blank => TxChecksum::Blank,
        };
        let segmentation = meta.segmentation;
        Self {
            bytes,
            meta: TxMeta {
                checksum,
                segmentation,
            },
        }
    }

    /// Sends it to `device`, or counts why not.
    pub(crate) fn deliver<D: Device>(
        &mut self,
        device: &mut D,
        able: &Capabilities,
        stats: &mut PortStats,
    ) {
        match self.meta.segmentation {
            _ if able.takes(self.bytes.len(), self.meta) => self.whole(device, able, stats),
            Some(segmentation) => cut(self.bytes, segmentation, device, able, stats),
            None => stats.out_too_long += 1,
        }
    }

    fn whole<D: Device>(&mut self, device: &mut D, able: &Capabilities, stats: &mut PortStats) {
        let is_blank = self.meta.checksum == TxChecksum::Blank;
        if is_blank && self.meta.segmentation.is_none() && !able.transmit_offload.covers(self.bytes)
        {
            if complete(self.bytes).is_err() {
                stats.out_untrue += 1;
                return;
            }
            // The ports that come after this one take it so, too.
            self.meta.checksum = TxChecksum::Complete;
            stats.out_completed += 1;
        }
        let Some(slot) = device.transmit() else {
            stats.out_full += 1;
            return;
        };
        slot.send(self.bytes.len(), |into| {
            into.copy_from_slice(self.bytes);
            self.meta
        });
        stats.count_out(self.bytes.len());
    }
}

/// Sends a large frame as ordinary ones. Where the port has no room for all of them, it gets the first ones: the receiver asks for the rest
/// again, as after any loss.
fn cut<D: Device>(
    frame: &[u8],
    segmentation: Segmentation,
    device: &mut D,
    able: &Capabilities,
    stats: &mut PortStats,
) {
    let Ok(mut segments) = Segments::new(frame, segmentation, able.max_frame()) else {
        stats.out_untrue += 1;
        return;
    };
    stats.out_cut += 1;
    while let Some(len) = segments.next_len() {
        let Some(slot) = device.transmit() else {
            stats.out_full += 1;
            return;
        };
        slot.send(len, |into| {
            let meta = segments.write(into);
            if meta.checksum == TxChecksum::Blank
                && !able.transmit_offload.covers(into)
                && complete(into).is_ok()
            {
                return TxMeta::default();
            }
            meta
        });
        stats.count_out(len);
    }
}
