//! Grant tables, version 1 (`grant_table.h`).

use crate::{DomIdT, FrameT};

/// Entries that toolstack and console daemon know by number: `GNTTAB_NR_RESERVED_ENTRIES`.
pub const NR_RESERVED_ENTRIES: u32 = 8;
/// `GNTTAB_RESERVED_CONSOLE`.
pub const RESERVED_CONSOLE: u32 = 0;
/// `GNTTAB_RESERVED_XENSTORE`.
pub const RESERVED_XENSTORE: u32 = 1;

/// `GTF_permit_access`: `domid` may map and copy `frame`.
pub const GTF_PERMIT_ACCESS: u16 = 1;
/// `GTF_type_mask`.
pub const GTF_TYPE_MASK: u16 = 3;
/// `GTF_readonly`: for reading only.
pub const GTF_READONLY: u16 = 1 << 2;
/// `GTF_reading`: Xen's mark that the peer has it mapped for reading.
pub const GTF_READING: u16 = 1 << 3;
/// `GTF_writing`: Xen's mark that the peer has it mapped for writing.
pub const GTF_WRITING: u16 = 1 << 4;

/// `struct grant_entry_v1`. Shared with Xen: for its layout only, never behind a reference.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct EntryV1 {
    /// `GTF_*`.
    pub flags: u16,
    /// Who is granted access.
    pub domid: DomIdT,
    /// The machine frame (for a PV guest) granted.
    pub frame: u32,
}

/// Entries of version 1 in one page of the table.
pub const ENTRIES_V1_PER_FRAME: u32 = (crate::PAGE_SIZE / size_of::<EntryV1>()) as u32;

/// `GNTTABOP_map_grant_ref`: array of [`MapGrantRef`].
pub const GNTTABOP_MAP_GRANT_REF: u32 = 0;
/// `GNTTABOP_unmap_grant_ref`: array of [`UnmapGrantRef`].
pub const GNTTABOP_UNMAP_GRANT_REF: u32 = 1;
/// `GNTTABOP_setup_table`: one [`SetupTable`].
pub const GNTTABOP_SETUP_TABLE: u32 = 2;
/// `GNTTABOP_copy`: array of [`Copy`](struct@Copy).
pub const GNTTABOP_COPY: u32 = 5;
/// `GNTTABOP_query_size`: one [`QuerySize`].
pub const GNTTABOP_QUERY_SIZE: u32 = 6;
/// `GNTTABOP_set_version`: one [`SetVersion`].
pub const GNTTABOP_SET_VERSION: u32 = 8;

/// `GNTMAP_host_map`: map for the processor.
pub const GNTMAP_HOST_MAP: u32 = 1 << 1;
/// `GNTMAP_readonly`: map for reading.
pub const GNTMAP_READONLY: u32 = 1 << 2;
/// `GNTMAP_contains_pte`: `host_addr` is the machine address of a page table entry.
pub const GNTMAP_CONTAINS_PTE: u32 = 1 << 4;

/// `struct gnttab_map_grant_ref`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct MapGrantRef {
    /// In: virtual address (or machine address of the page table entry) to map at.
    pub host_addr: u64,
    /// In: `GNTMAP_*`.
    pub flags: u32,
    /// In: the grant.
    pub reference: u32,
    /// In: whose grant.
    pub dom: DomIdT,
    /// Out: `GNTST_*`.
    pub status: i16,
    /// Out: what unmapping names.
    pub handle: u32,
    /// Out: bus address, for devices.
    pub dev_bus_addr: u64,
}

/// `struct gnttab_unmap_grant_ref`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct UnmapGrantRef {
    /// In: where it is mapped.
    pub host_addr: u64,
    /// In: bus address, or 0.
    pub dev_bus_addr: u64,
    /// In: the handle that mapping gave.
    pub handle: u32,
    /// Out: `GNTST_*`.
    pub status: i16,
}

/// `struct gnttab_setup_table`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SetupTable {
    /// In: whose table.
    pub dom: DomIdT,
    /// In: frames wanted.
    pub nr_frames: u32,
    /// Out: `GNTST_*`.
    pub status: i16,
    /// In: where to write `nr_frames` machine frame numbers.
    pub frame_list: *mut FrameT,
}

/// `struct gnttab_query_size`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct QuerySize {
    /// In: whose table.
    pub dom: DomIdT,
    /// Out: frames in use.
    pub nr_frames: u32,
    /// Out: the most that it may have.
    pub max_nr_frames: u32,
    /// Out: `GNTST_*`.
    pub status: i16,
}

/// `struct gnttab_set_version`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct SetVersion {
    /// In and out: 1 or 2.
    pub version: u32,
}

/// `GNTCOPY_source_gref`: the source is a grant reference.
pub const GNTCOPY_SOURCE_GREF: u16 = 1 << 0;
/// `GNTCOPY_dest_gref`: the destination is a grant reference.
pub const GNTCOPY_DEST_GREF: u16 = 1 << 1;

/// `struct gnttab_copy_ptr`: one end of a copy.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct CopyPtr {
    /// A grant reference (in the low 32 bits) or a machine frame number, as `flags` of [`Copy`](struct@Copy) say.
    pub frame: u64,
    /// The domain that granted it or owns the frame.
    pub domid: DomIdT,
    /// First byte in the page.
    pub offset: u16,
}

/// `struct gnttab_copy`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Copy {
    /// In: from where.
    pub source: CopyPtr,
    /// In: to where.
    pub dest: CopyPtr,
    /// In: bytes.
    pub len: u16,
    /// In: `GNTCOPY_*`.
    pub flags: u16,
    /// Out: `GNTST_*`.
    pub status: i16,
}

/// `GNTST_okay`.
pub const GNTST_OKAY: i16 = 0;
/// `GNTST_general_error`.
pub const GNTST_GENERAL_ERROR: i16 = -1;
/// `GNTST_bad_domain`.
pub const GNTST_BAD_DOMAIN: i16 = -2;
/// `GNTST_bad_gntref`.
pub const GNTST_BAD_GNTREF: i16 = -3;
/// `GNTST_bad_handle`.
pub const GNTST_BAD_HANDLE: i16 = -4;
/// `GNTST_bad_virt_addr`.
pub const GNTST_BAD_VIRT_ADDR: i16 = -5;
/// `GNTST_permission_denied`.
pub const GNTST_PERMISSION_DENIED: i16 = -8;
/// `GNTST_bad_page`.
pub const GNTST_BAD_PAGE: i16 = -9;
/// `GNTST_bad_copy_arg`.
pub const GNTST_BAD_COPY_ARG: i16 = -10;
/// `GNTST_address_too_big`.
pub const GNTST_ADDRESS_TOO_BIG: i16 = -11;
/// `GNTST_eagain`.
pub const GNTST_EAGAIN: i16 = -12;
/// `GNTST_no_space`.
pub const GNTST_NO_SPACE: i16 = -13;
