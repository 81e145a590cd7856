//! ELF notes by which an image tells the domain builder what it needs (`elfnote.h`).

/// `XEN_ELFNOTE_ENTRY`: virtual address of the entry point.
pub const ENTRY: u32 = 1;
/// `XEN_ELFNOTE_HYPERCALL_PAGE`: virtual address of the page to fill with hypercall stubs.
pub const HYPERCALL_PAGE: u32 = 2;
/// `XEN_ELFNOTE_VIRT_BASE`: virtual address where pseudo-physical page 0 is mapped.
pub const VIRT_BASE: u32 = 3;
/// `XEN_ELFNOTE_PADDR_OFFSET`: what to take off an ELF `p_paddr` to get the pseudo-physical address.
pub const PADDR_OFFSET: u32 = 4;
/// `XEN_ELFNOTE_XEN_VERSION`: the interface that the image is written for ("xen-3.0").
pub const XEN_VERSION: u32 = 5;
/// `XEN_ELFNOTE_GUEST_OS`: name of the guest.
pub const GUEST_OS: u32 = 6;
/// `XEN_ELFNOTE_GUEST_VERSION`: version of the guest.
pub const GUEST_VERSION: u32 = 7;
/// `XEN_ELFNOTE_LOADER`: type of loader ("generic").
pub const LOADER: u32 = 8;
/// `XEN_ELFNOTE_PAE_MODE`: "yes" for every image of today.
pub const PAE_MODE: u32 = 9;
/// `XEN_ELFNOTE_FEATURES`: names of features that the image supports, joined by `|`; a leading `!` requires one.
pub const FEATURES: u32 = 10;
/// `XEN_ELFNOTE_HV_START_LOW`: lowest address at which Xen's own address space may begin.
pub const HV_START_LOW: u32 = 12;
/// `XEN_ELFNOTE_L1_MFN_VALID`: how to see that a page table entry holds a frame number: mask and value.
pub const L1_MFN_VALID: u32 = 13;
/// `XEN_ELFNOTE_INIT_P2M`: virtual address to put the p2m list at.
pub const INIT_P2M: u32 = 15;
/// `XEN_ELFNOTE_MOD_START_PFN`: 1 if the image can take a module that is not mapped.
pub const MOD_START_PFN: u32 = 16;
/// `XEN_ELFNOTE_SUPPORTED_FEATURES`: bit mask of `XENFEAT_*` numbers.
pub const SUPPORTED_FEATURES: u32 = 17;
