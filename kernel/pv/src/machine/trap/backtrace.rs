//! The chain of frame pointers, printed so that `cargo xtask` can put names to it: a line `backtrace`, then `  #N 0xADDRESS`.
//!
//! The first address is an instruction's own; the others are where calls return to, one instruction after the call.

use core::arch::asm;

use super::probe;
use crate::machine::layout;

/// The deepest that we look.
const MAX_FRAMES: usize = 48;

/// Prints where we are and the callers.
pub(in crate::machine) fn print_from_here() {
    let (frame_pointer, here): (usize, usize);
    // SAFETY: reads registers.
    unsafe {
        asm!(
            "mov {}, rbp",
            "lea {}, [rip]",
            out(reg) frame_pointer,
            out(reg) here,
            options(nomem, nostack, preserves_flags)
        );
    }
    print(Some(here), frame_pointer);
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
        line(address);
        // Frames lie deeper in the stack than their callers'.
        if next <= frame_pointer {
            return;
        }
        frame_pointer = next;
    }
}
