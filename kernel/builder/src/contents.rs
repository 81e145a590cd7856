//! What is in a new domain's memory.

use core::mem::offset_of;

use morgana_abi::start_info::{ConsoleDomU, MAX_GUEST_CMDLINE, StartInfo};
use morgana_hal::{Mfn, PAGE_SIZE, Pfn, Port};

use crate::image::Image;
use crate::layout::Layout;
use crate::tables;

/// Bytes that a command line may have.
pub const COMMAND_LINE_BYTES: usize = MAX_GUEST_CMDLINE - 1;

/// `start_info.magic` (xen.h: "xen-<version>-<platform>").
const MAGIC: &[u8] = b"xen-3.0-x86_64";

const PAGE: u64 = PAGE_SIZE as u64;

/// Takes the contents. Places are pseudo-physical addresses, within the pages that [`Layout::written`] names.
pub trait Sink {
    /// Bytes from `at` on.
    fn write(&mut self, at: u64, bytes: &[u8]);
    /// `len` zeros from `at` on.
    fn zero(&mut self, at: u64, len: u64);
}

/// What differs from one domain of an image to the next.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The domain's frames, one for each of its pages.
    pub frames: &'a [Mfn],
    /// The frame of `struct shared_info`.
    pub shared_info: Mfn,
    /// The domain's port to xenstored.
    pub xenstore_port: Port,
    /// The domain's port to the console daemon.
    pub console_port: Port,
    /// At most [`COMMAND_LINE_BYTES`]; what is behind a zero byte no guest sees.
    pub command_line: &'a [u8],
}

impl Contents<'_> {
    /// Gives all that the domain starts with to the sink.
    ///
    /// # Panics
    ///
    /// If there are not as many frames as the layout has pages.
    pub fn emit(&self, image: &Image, layout: &Layout, sink: &mut impl Sink) {
        assert_eq!(
            self.frames.len() as u64,
            layout.pages,
            "a frame for each page"
        );
        for segment in image.segments() {
            let bytes = image.bytes(segment);
            sink.write(segment.at, bytes);
            let len = bytes.len() as u64;
            sink.zero(segment.at + len, segment.memory_size - len);
        }
        self.emit_p2m(layout, sink);
        self.emit_start_info(layout, sink);
        for ring in [layout.xenstore, layout.console] {
            sink.zero(ring.number() * PAGE, PAGE);
        }
        tables::write(layout, |page| self.frame(page), sink);
    }

    /// Gives the page of `start_info` to the sink, which is all that a command line changes.
    pub fn emit_start_info(&self, layout: &Layout, sink: &mut impl Sink) {
        sink.write(
            layout.start_info.number() * PAGE,
            &self.start_info_page(layout),
        );
    }

    fn frame(&self, page: Pfn) -> Mfn {
        // The layout maps no page that it does not have, and there is a frame for each.
        self.frames[page.number() as usize]
    }

    fn emit_p2m(&self, layout: &Layout, sink: &mut impl Sink) {
        let mut at = layout.p2m.start * PAGE;
        for frames in self.frames.chunks(PAGE_SIZE / 8) {
            let mut page = [0; PAGE_SIZE];
            for (word, frame) in page.as_chunks_mut::<8>().0.iter_mut().zip(frames) {
                *word = frame.number().to_le_bytes();
            }
            sink.write(at, &page);
            at += PAGE;
        }
    }

    fn start_info_page(&self, layout: &Layout) -> [u8; PAGE_SIZE] {
        const CONSOLE: usize = offset_of!(StartInfo, console);
        let mut page = [0; PAGE_SIZE];
        let mut put = |offset: usize, bytes: &[u8]| {
            page[offset..offset + bytes.len()].copy_from_slice(bytes);
        };
        put(offset_of!(StartInfo, magic), MAGIC);
        for (offset, value) in [
            (offset_of!(StartInfo, nr_pages), layout.pages),
            (
                offset_of!(StartInfo, shared_info),
                self.shared_info.number() * PAGE,
            ),
            (
                offset_of!(StartInfo, store_mfn),
                self.frame(layout.xenstore).number(),
            ),
            (
                CONSOLE + offset_of!(ConsoleDomU, mfn),
                self.frame(layout.console).number(),
            ),
            (
                offset_of!(StartInfo, pt_base),
                layout.address(Pfn::new(layout.tables.start)),
            ),
            (
                offset_of!(StartInfo, nr_pt_frames),
                layout.tables.end - layout.tables.start,
            ),
            (
                offset_of!(StartInfo, mfn_list),
                layout.address(Pfn::new(layout.p2m.start)),
            ),
        ] {
            put(offset, &value.to_le_bytes());
        }
        for (offset, port) in [
            (offset_of!(StartInfo, store_evtchn), self.xenstore_port),
            (CONSOLE + offset_of!(ConsoleDomU, evtchn), self.console_port),
        ] {
            put(offset, &port.number().to_le_bytes());
        }
        let len = self.command_line.len().min(COMMAND_LINE_BYTES);
        put(offset_of!(StartInfo, cmd_line), &self.command_line[..len]);
        page
    }
}
