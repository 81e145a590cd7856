//! The first instructions, and the ELF notes that lead Xen to them.

use core::arch::{global_asm, naked_asm};

use morgana_abi::elfnote;

use super::boot::boot;

/// Where Xen enters the guest (`arch-x86/xen.h`, "start of day"): rsi holds the virtual address of `start_info`, rsp the top
/// of a one-page stack that the domain builder made. We leave that stack at once for our own, whose end is guarded.
///
/// A zero frame pointer and no return address end every backtrace.
#[unsafe(naked)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.entry")]
extern "C" fn _start() -> ! {
    naked_asm!(
        "cld",
        "mov rdi, rsi",
        "mov esp, offset __stack_top",
        "xor ebp, ebp",
        "call {boot}",
        "ud2",
        boot = sym boot,
    )
}

// An ELF note: size of name, size of description, type, name ("Xen"), description; each padded to 4 bytes.
global_asm!(
    ".macro xen_note_string kind:req, text:req",
    "    .balign 4",
    "    .long 4, 2f - 1f, \\kind",
    "    .asciz \"Xen\"",
    "1:  .asciz \"\\text\"",
    "2:  .balign 4",
    ".endm",
    ".macro xen_note_number kind:req, value:req",
    "    .balign 4",
    "    .long 4, 8, \\kind",
    "    .asciz \"Xen\"",
    "    .quad \\value",
    ".endm",
    ".pushsection .note.Xen, \"a\", @note",
    "xen_note_string {guest_os}, \"Morgana\"",
    "xen_note_string {guest_version}, \"{version}\"",
    "xen_note_string {xen_version}, \"xen-3.0\"",
    "xen_note_string {loader}, \"generic\"",
    "xen_note_string {pae_mode}, \"yes\"",
    "xen_note_string {features}, \"!writable_page_tables|pae_pgdir_above_4gb\"",
    "xen_note_number {virt_base}, VIRT_BASE",
    // The linker script leaves p_paddr equal to p_vaddr.
    "xen_note_number {paddr_offset}, VIRT_BASE",
    "xen_note_number {entry}, _start",
    "xen_note_number {hypercall_page}, HYPERCALL_PAGE",
    "xen_note_number {mod_start_pfn}, 1",
    ".popsection",
    guest_os = const elfnote::GUEST_OS,
    guest_version = const elfnote::GUEST_VERSION,
    version = const 1,
    xen_version = const elfnote::XEN_VERSION,
    loader = const elfnote::LOADER,
    pae_mode = const elfnote::PAE_MODE,
    features = const elfnote::FEATURES,
    virt_base = const elfnote::VIRT_BASE,
    paddr_offset = const elfnote::PADDR_OFFSET,
    entry = const elfnote::ENTRY,
    hypercall_page = const elfnote::HYPERCALL_PAGE,
    mod_start_pfn = const elfnote::MOD_START_PFN,
);
