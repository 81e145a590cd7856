//! Where what lies in a new domain's memory (xen.h, "Start-of-day memory layout").

use core::fmt;
use core::ops::Range;

use morgana_hal::{PAGE_SIZE, Pfn};

use crate::image::{Image, LOWER_HALF_END};
use crate::tables::{self, Span};

const PAGE: u64 = PAGE_SIZE as u64;
/// What is free at least behind the last element, in pages: 512 KiB.
const PADDING: u64 = 512 * 1024 / PAGE;
/// The mapped region ends where an address is a multiple of this.
const REGION: u64 = 4 << 20;

/// Pages, by their pseudo-physical numbers. The mapped region begins with page 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// All of the domain's memory.
    pub pages: u64,
    /// What the image is loaded to.
    pub kernel: Range<u64>,
    /// The list of frames.
    pub p2m: Range<u64>,
    /// `struct start_info`.
    pub start_info: Pfn,
    /// The ring of xenstore.
    pub xenstore: Pfn,
    /// The ring of the console.
    pub console: Pfn,
    /// The first page tables; the root comes first.
    pub tables: Range<u64>,
    /// The first stack.
    pub stack: Pfn,
    /// How many pages are mapped.
    pub mapped: u64,
    pub(crate) span: Span,
}

impl Layout {
    /// Lays out a domain of `pages` pages.
    ///
    /// # Errors
    ///
    /// [`LayoutError`].
    pub fn new(image: &Image, pages: u64) -> Result<Self, LayoutError> {
        // More than any machine has: 2^44 bytes are where version 1 of the grant table ends.
        if pages > 1 << 32 {
            return Err(LayoutError::TooLarge);
        }
        let kernel = image.start() / PAGE..image.end().div_ceil(PAGE);
        let p2m = kernel.end..kernel.end + (pages * size_of::<u64>() as u64).div_ceil(PAGE);
        let start_info = p2m.end;
        let first_table = start_info + 3;
        let mut tables = 0;
        // More tables can make the region grow, and a larger region can take more tables; both stop where the address space does.
        let (span, mapped) = loop {
            let used = first_table + tables + 1 + PADDING;
            let last = image
                .virt_base()
                .checked_add(used * PAGE - 1)
                .ok_or(LayoutError::AddressSpace)?;
            let span = Span {
                first: image.virt_base(),
                last: last | (REGION - 1),
            };
            if !same_half(span) {
                return Err(LayoutError::AddressSpace);
            }
            let needed = tables::count(span);
            if needed <= tables {
                break (span, (span.last - span.first) / PAGE + 1);
            }
            tables = needed;
        };
        if mapped > pages {
            return Err(LayoutError::TooSmall { needed: mapped });
        }
        Ok(Self {
            pages,
            kernel,
            p2m,
            start_info: Pfn::new(start_info),
            xenstore: Pfn::new(start_info + 1),
            console: Pfn::new(start_info + 2),
            tables: first_table..first_table + tables,
            stack: Pfn::new(first_table + tables),
            mapped,
            span,
        })
    }

    /// The pages that are written before the domain runs: from the image to the page tables.
    pub fn written(&self) -> Range<u64> {
        self.kernel.start..self.tables.end
    }

    /// The address of a mapped page.
    pub fn address(&self, page: Pfn) -> u64 {
        self.span.first + page.number() * PAGE
    }
}

/// Whether all addresses are of the same half of the address space.
fn same_half(span: Span) -> bool {
    (span.first < LOWER_HALF_END) == (span.last < LOWER_HALF_END)
}

/// Why a domain cannot be laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LayoutError {
    /// Its memory has no room for what must be there.
    TooSmall {
        /// Pages that it needs.
        needed: u64,
    },
    /// More than 16 TiB.
    TooLarge,
    /// The image lies so high that no addresses are left behind it.
    AddressSpace,
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { needed } => {
                let mebibytes = (needed * PAGE).div_ceil(1 << 20);
                write!(f, "the domain needs {mebibytes} MiB of memory at least")
            }
            Self::TooLarge => f.write_str("no domain has more than 16 TiB of memory"),
            Self::AddressSpace => f.write_str("no addresses are left behind the image"),
        }
    }
}

impl core::error::Error for LayoutError {}
