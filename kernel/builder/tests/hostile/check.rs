//! Any file: it is refused, or domains can be built of it.

use morgana_builder::{Contents, Image, Layout, Sink};
use morgana_hal::{Mfn, PAGE_SIZE, Port};

/// Pages that a domain of a hostile image may have.
const PAGES: u64 = 4096;

/// Looks that nothing is written but where it may be.
struct Bounds {
    start: u64,
    end: u64,
}

impl Sink for Bounds {
    fn write(&mut self, at: u64, bytes: &[u8]) {
        self.zero(at, bytes.len() as u64);
    }

    fn zero(&mut self, at: u64, len: u64) {
        assert!(self.start <= at && len <= self.end - at, "{at:#x} {len:#x}");
    }
}

/// The check.
pub(crate) fn check(input: &[u8]) {
    let image = match Image::parse(input.to_vec()) {
        Ok(image) => image,
        Err(error) => {
            // A place in the file, or in what it should have had.
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let Ok(layout) = Layout::new(&image, PAGES) else {
        return;
    };
    let frames: Vec<Mfn> = (0..PAGES).map(|page| Mfn::new(page ^ 1)).collect();
    let contents = Contents {
        frames: &frames,
        shared_info: Mfn::new(9),
        xenstore_port: Port::new(1),
        console_port: Port::new(2),
        command_line: b"",
    };
    let written = layout.written();
    assert!(written.end < layout.mapped && layout.mapped <= PAGES);
    let page = PAGE_SIZE as u64;
    let mut bounds = Bounds {
        start: written.start * page,
        end: written.end * page,
    };
    contents.emit(&image, &layout, &mut bounds);
    if let Some(page) = image.hypercall_page() {
        assert!(layout.kernel.contains(&page.number()));
    }
}
