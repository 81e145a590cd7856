//! The registers at an exception.

use core::fmt;

/// What the stubs of `entry` push, lowest address first, and what Xen pushed before.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frame {
    pub(super) r15: u64,
    pub(super) r14: u64,
    pub(super) r13: u64,
    pub(super) r12: u64,
    pub(super) r11: u64,
    pub(super) r10: u64,
    pub(super) r9: u64,
    pub(super) r8: u64,
    pub(super) rbp: u64,
    pub(super) rdi: u64,
    pub(super) rsi: u64,
    pub(super) rdx: u64,
    pub(super) rcx: u64,
    pub(super) rbx: u64,
    pub(super) rax: u64,
    /// Pushed by the stub.
    pub(super) vector: u64,
    /// Pushed by Xen where the vector has one, else zero by the stub.
    pub(super) error: u64,
    pub(super) rip: u64,
    /// The upper half is the upcall mask at the exception.
    pub(super) cs: u64,
    pub(super) rflags: u64,
    pub(super) rsp: u64,
    pub(super) ss: u64,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            [("rip", self.rip), ("rsp", self.rsp), ("rbp", self.rbp)],
            [("rax", self.rax), ("rbx", self.rbx), ("rcx", self.rcx)],
            [("rdx", self.rdx), ("rsi", self.rsi), ("rdi", self.rdi)],
            [("r8 ", self.r8), ("r9 ", self.r9), ("r10", self.r10)],
            [("r11", self.r11), ("r12", self.r12), ("r13", self.r13)],
            [("r14", self.r14), ("r15", self.r15), ("rfl", self.rflags)],
        ];
        for row in rows {
            for (name, value) in row {
                write!(f, "  {name} {value:016x}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
