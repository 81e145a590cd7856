//! A kernel's image, read once.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use morgana_abi::memory::MACH2PHYS_VIRT_START;
use morgana_hal::{PAGE_SIZE, Pfn};

use crate::elf::{self, Header};
use crate::notes::{self, Notes};

/// How far behind its base an image may reach: 1 TiB. It keeps sums small; the domain's memory is the limit that counts.
const MOST_BYTES: u64 = 1 << 40;
/// Where Xen's own addresses end (arch-x86/xen-x86_64.h, `HYPERVISOR_VIRT_END`).
const XEN_END: u64 = 0xffff_8800_0000_0000;
/// Where the lower half of the address space ends.
pub(crate) const LOWER_HALF_END: u64 = 1 << 47;

/// A PV kernel: where what lies in its memory, and how it is to be started. Many domains can be built of one.
#[derive(Clone, Debug)]
pub struct Image {
    bytes: Vec<u8>,
    segments: Vec<Segment>,
    virt_base: u64,
    entry: u64,
    hypercall_page: Option<Pfn>,
}

/// Bytes of the file that are loaded.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// Where, from pseudo-physical address 0 on.
    pub(crate) at: u64,
    pub(crate) file: Range<usize>,
    /// With zeros behind those of the file.
    pub(crate) memory_size: u64,
}

impl Image {
    /// Reads a 64-bit ELF file with Xen's notes.
    ///
    /// # Errors
    ///
    /// [`ImageError`]: what is wrong, and where.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ImageError> {
        let headers = elf::headers(&bytes)?;
        let mut notes = Notes::default();
        for header in &headers.notes {
            notes::read(&bytes, header.offset, header.file_size, &mut notes)?;
        }
        let first_note = notes.first.ok_or(ImageError {
            problem: Problem::NoNotes,
            offset: 0,
        })?;
        let virt_base = notes.virt_base.unwrap_or(0);
        check_base(virt_base, first_note)?;
        let paddr_offset = notes.paddr_offset.unwrap_or(0);
        let segments: Result<Vec<Segment>, ImageError> = headers
            .loads
            .iter()
            .filter(|header| header.memory_size > 0)
            .map(|header| segment(header, paddr_offset))
            .collect();
        let mut image = Self {
            bytes,
            segments: segments?,
            virt_base,
            entry: notes.entry.unwrap_or(headers.entry),
            hypercall_page: None,
        };
        image.check(&notes, first_note)?;
        Ok(image)
    }

    /// Whether the addresses that it names are its own.
    fn check(&mut self, notes: &Notes, first_note: u64) -> Result<(), ImageError> {
        let end = self.end();
        let wrong = |problem, offset| Err(ImageError { problem, offset });
        if end == 0 {
            return wrong(Problem::NothingToLoad, 0);
        }
        let half_end = match self.virt_base {
            ..LOWER_HALF_END => LOWER_HALF_END - 1,
            _ => u64::MAX,
        };
        if end - 1 > half_end - self.virt_base {
            return wrong(Problem::AddressSpace, first_note);
        }
        let inside = |address: u64| {
            let at = address.checked_sub(self.virt_base)?;
            (self.start()..end).contains(&at).then_some(at)
        };
        if inside(self.entry).is_none() {
            return wrong(Problem::EntryOutside, first_note);
        }
        if let Some(address) = notes.hypercall_page {
            let page = PAGE_SIZE as u64;
            match inside(address) {
                Some(at) if at % page == 0 => self.hypercall_page = Some(Pfn::new(at / page)),
                _ => return wrong(Problem::HypercallPage, notes.hypercall_page_at),
            }
        }
        Ok(())
    }

    /// The virtual address of pseudo-physical page 0.
    pub fn virt_base(&self) -> u64 {
        self.virt_base
    }

    /// The address of its first instruction.
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// The page that Xen writes hypercalls into, if the image has one.
    pub fn hypercall_page(&self) -> Option<Pfn> {
        self.hypercall_page
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The bytes of a segment that come from the file.
    pub(crate) fn bytes(&self, segment: &Segment) -> &[u8] {
        &self.bytes[segment.file.clone()]
    }

    /// Where its first byte lies, from pseudo-physical address 0 on.
    pub(crate) fn start(&self) -> u64 {
        let starts = self.segments.iter().map(|segment| segment.at);
        starts.min().unwrap_or(0)
    }

    /// Where its last byte ends.
    pub(crate) fn end(&self) -> u64 {
        let ends = self.segments.iter();
        let ends = ends.map(|segment| segment.at + segment.memory_size);
        ends.max().unwrap_or(0)
    }
}

/// Whether a domain may begin at this address.
fn check_base(virt_base: u64, offset: u64) -> Result<(), ImageError> {
    let whole = virt_base.is_multiple_of(PAGE_SIZE as u64);
    let free = !(LOWER_HALF_END..MACH2PHYS_VIRT_START).contains(&virt_base)
        && !(MACH2PHYS_VIRT_START..XEN_END).contains(&virt_base);
    match whole && free {
        true => Ok(()),
        false => Err(ImageError {
            problem: Problem::AddressSpace,
            offset,
        }),
    }
}

fn segment(header: &Header, paddr_offset: u64) -> Result<Segment, ImageError> {
    let wrong = |problem| ImageError {
        problem,
        offset: header.at,
    };
    if header.file_size > header.memory_size {
        return Err(wrong(Problem::SegmentSizes));
    }
    let at = header.physical.checked_sub(paddr_offset);
    let at = at.filter(|at| {
        at.checked_add(header.memory_size)
            .is_some_and(|end| end <= MOST_BYTES)
    });
    // The headers' reader has looked whether these bytes are in the file, so they fit.
    let start = usize::try_from(header.offset).map_err(|_| wrong(Problem::SegmentOutsideFile))?;
    let len = usize::try_from(header.file_size).map_err(|_| wrong(Problem::SegmentOutsideFile))?;
    Ok(Segment {
        at: at.ok_or(wrong(Problem::SegmentPlace))?,
        file: start..start + len,
        memory_size: header.memory_size,
    })
}

/// Why an image cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageError {
    /// What is wrong.
    pub problem: Problem,
    /// Where in the file: the field, header or note.
    pub offset: u64,
}

/// What is wrong with an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The file ends before what is looked for.
    Truncated,
    /// It is no ELF file. A compressed kernel is none, either.
    NotElf,
    /// It is no 64-bit little-endian ELF file.
    Not64Bit,
    /// It is not linked to be run where it lies (`ET_EXEC`).
    NotExecutable,
    /// It is not for x86-64.
    OtherMachine,
    /// Its program headers are not of the size that they have.
    BadHeaderSize,
    /// It has more than 64 program headers.
    TooManyHeaders,
    /// A segment's bytes are not in the file.
    SegmentOutsideFile,
    /// A segment has more bytes in the file than in memory.
    SegmentSizes,
    /// A segment lies before the domain's first page, or 1 TiB behind it.
    SegmentPlace,
    /// There is no segment to load.
    NothingToLoad,
    /// A note does not hold what it says, or a number of another size.
    BrokenNote,
    /// There is no note of Xen's: it is no PV kernel.
    NoNotes,
    /// It is for another Xen than `xen-3.0`.
    OtherXen,
    /// It wants another loader than the generic one.
    OtherLoader,
    /// It needs a feature that a PV domain has not.
    MissingFeature,
    /// It begins in the middle of a page, at addresses that are Xen's or nobody's, or reaches there.
    AddressSpace,
    /// Its first instruction is not in what is loaded.
    EntryOutside,
    /// Its hypercall page is no page of what is loaded.
    HypercallPage,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {:#x})", self.problem, self.offset)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the image ends too early",
            Self::NotElf => "the image is no ELF file (compressed kernels must be unpacked)",
            Self::Not64Bit => "the image is no 64-bit little-endian ELF file",
            Self::NotExecutable => "the image is no executable",
            Self::OtherMachine => "the image is not for x86-64",
            Self::BadHeaderSize => "the image's program headers have another size than theirs",
            Self::TooManyHeaders => "the image has more than 64 program headers",
            Self::SegmentOutsideFile => "a segment's bytes are not in the image",
            Self::SegmentSizes => "a segment is larger in the image than in memory",
            Self::SegmentPlace => "a segment lies outside of the domain",
            Self::NothingToLoad => "the image has nothing to load",
            Self::BrokenNote => "a note of the image is broken",
            Self::NoNotes => "the image has no note of Xen's: it is no PV kernel",
            Self::OtherXen => "the image is for another Xen than xen-3.0",
            Self::OtherLoader => "the image wants another loader than the generic one",
            Self::MissingFeature => "the image needs a feature that a PV domain has not",
            Self::AddressSpace => "the image lies at addresses that no domain has",
            Self::EntryOutside => "the image's first instruction is not in what is loaded",
            Self::HypercallPage => "the image's hypercall page is no page of what is loaded",
        })
    }
}

impl core::error::Error for ImageError {}
