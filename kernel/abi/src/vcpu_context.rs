//! How a virtual processor starts (`arch-x86/xen.h`, `arch-x86/xen-x86_64.h`).

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `VGCF_in_kernel`: it starts in the guest's kernel.
pub const VGCF_IN_KERNEL: u64 = 1 << 2;
/// `VGCF_online`: it is ready to run.
pub const VGCF_ONLINE: u64 = 1 << 5;

/// The interrupt flag of rflags (Intel SDM vol. 1, 3.4.3).
pub const RFLAGS_IF: u64 = 1 << 9;
/// What DR6 is after a reset (Intel SDM vol. 3, 10.1.1).
pub const DR6_DEFAULT: u64 = 0xffff_0ff0;
/// What DR7 is after a reset.
pub const DR7_DEFAULT: u64 = 0x400;

/// `struct vcpu_guest_context` of a 64-bit guest.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct VcpuGuestContext {
    /// `fpu_ctxt`.
    pub fpu_ctxt: [u8; 512],
    /// `flags`: `VGCF_*`.
    pub flags: u64,
    /// `user_regs`.
    pub user_regs: CpuUserRegs,
    /// `trap_ctxt`: 256 of [`TrapInfo`](crate::trap::TrapInfo), as plain numbers.
    pub trap_ctxt: [[u64; 2]; 256],
    /// `ldt_base`.
    pub ldt_base: u64,
    /// `ldt_ents`.
    pub ldt_ents: u64,
    /// `gdt_frames`.
    pub gdt_frames: [u64; 16],
    /// `gdt_ents`.
    pub gdt_ents: u64,
    /// `kernel_ss`.
    pub kernel_ss: u64,
    /// `kernel_sp`.
    pub kernel_sp: u64,
    /// `ctrlreg`: CR0 to CR7; of CR3 the root of the address space.
    pub ctrlreg: [u64; 8],
    /// `debugreg`.
    pub debugreg: [u64; 8],
    /// `event_callback_eip`.
    pub event_callback_eip: u64,
    /// `failsafe_callback_eip`.
    pub failsafe_callback_eip: u64,
    /// `syscall_callback_eip`.
    pub syscall_callback_eip: u64,
    /// `vm_assist`.
    pub vm_assist: u64,
    /// `fs_base`.
    pub fs_base: u64,
    /// `gs_base_kernel`.
    pub gs_base_kernel: u64,
    /// `gs_base_user`.
    pub gs_base_user: u64,
}

/// `struct cpu_user_regs` of a 64-bit guest.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[expect(missing_docs, reason = "the processor's registers")]
pub struct CpuUserRegs {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub error_code: u32,
    pub entry_vector: u32,
    pub rip: u64,
    pub cs: u16,
    pub pad0: u16,
    pub saved_upcall_mask: u8,
    pub pad1: [u8; 3],
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u16,
    pub pad2: [u16; 3],
    pub es: u16,
    pub pad3: [u16; 3],
    pub ds: u16,
    pub pad4: [u16; 3],
    pub fs: u16,
    pub pad5: [u16; 3],
    pub gs: u16,
    pub pad6: [u16; 3],
}

impl VcpuGuestContext {
    /// All zero.
    pub const fn zeroed() -> Self {
        zerocopy::transmute!([0_u8; size_of::<Self>()])
    }
}
