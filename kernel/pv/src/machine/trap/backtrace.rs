//! The chain of frame pointers, printed so that `cargo xtask` can put names to it: a line `backtrace`, then `  #N 0xADDRESS`.
//!
//! Return addresses are printed less one, so that every address lies inside the instruction that it stands for.

use core::arch::asm;

use super::probe;
use crate::machine::layout;

/// The deepest that we look.
const MAX_FRAMES: usize = 48;

/// Prints the callers of the caller.
pub(in crate::machine) fn print_from_here() {
    let frame_pointer: usize;
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, rbp", out(reg) frame_pointer, options(nomem, nostack, preserves_flags))
    };
    print(None, frame_pointer);
}

/// Prints `first` (the instruction itself), then what the frames from `frame_pointer` on return to.
pub(super) fn print(first: Option<usize>, frame_pointer: usize) {
    crate::println!("backtrace");
    let mut depth = 0;
    let mut line = |address: usize| {
        crate::println!("  #{depth} {address:#x}");
        depth += 1;
    };
    if let Some(address) = first {
        line(address);
    }
    let mut frame_pointer = frame_pointer;
    for _ in 0..MAX_FRAMES {
        if !frame_pointer.is_multiple_of(8) {
            return;
        }
        let (Some(next), Some(address)) = (
            probe::load(frame_pointer),
            frame_pointer.checked_add(8).and_then(probe::load),
        ) else {
            return;
        };
        if !layout::text().contains(&address) {
            return;
        }
        line(address - 1);
        // Frames lie deeper in the stack than their callers'.
        if next <= frame_pointer {
            return;
        }
        frame_pointer = next;
    }
}
