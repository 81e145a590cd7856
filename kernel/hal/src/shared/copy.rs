//! Copies of many bytes, at the speed of memcpy. That itself will not do: to the compiler it is an access that must not race.

/// From how many bytes on [`copy`] is used: for the instructions of x86-64 it is the smallest number that they can move.
pub(super) const WIDE: usize = if cfg!(all(target_arch = "x86_64", not(miri))) {
    16
} else {
    usize::MAX
};

/// How many bytes [`step`] moves at a time.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const STEP: usize = 64;

/// Copies `len` bytes, [`WIDE`] at the least, in no particular order, and some of them twice. A racing write gives old bytes, new bytes
/// or a mix.
///
/// # Safety
///
/// `len` bytes from `from` on are mapped for reading and from `to` on for writing, and no value of the program that one of the two points
/// to is borrowed, but for `from` by shared reference.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    debug_assert!(len >= WIDE);
    let mut done = 0;
    while len - done >= STEP {
        // SAFETY: `done + STEP` is at most `len`.
        unsafe { step(from.add(done), to.add(done)) };
        done += STEP;
    }
    while len - done >= WIDE {
        // SAFETY: `done + WIDE` is at most `len`.
        unsafe { short_step(from.add(done), to.add(done)) };
        done += WIDE;
    }
    if done < len {
        // SAFETY: the last `WIDE` bytes: `len` is as many at the least.
        unsafe { short_step(from.add(len - WIDE), to.add(len - WIDE)) };
    }
}

/// Moves [`STEP`] bytes.
///
/// # Safety
///
/// As for [`copy`].
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
unsafe fn step(from: *const u8, to: *mut u8) {
    // SAFETY: the caller's promise: 64 bytes are mapped at either pointer. No reference exists to what these instructions write, and the
    // compiler does not know which they are, so that to it a race with them is none. SSE2 is part of x86_64.
    unsafe {
        core::arch::asm!(
            "movups {a}, [{from}]",
            "movups {b}, [{from} + 16]",
            "movups {c}, [{from} + 32]",
            "movups {d}, [{from} + 48]",
            "movups [{to}], {a}",
            "movups [{to} + 16], {b}",
            "movups [{to} + 32], {c}",
            "movups [{to} + 48], {d}",
            from = in(reg) from,
            to = in(reg) to,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// Moves [`WIDE`] bytes.
///
/// # Safety
///
/// As for [`copy`].
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
unsafe fn short_step(from: *const u8, to: *mut u8) {
    // SAFETY: as in `step`, with 16 bytes.
    unsafe {
        core::arch::asm!(
            "movups {a}, [{from}]",
            "movups [{to}], {a}",
            from = in(reg) from,
            to = in(reg) to,
            a = out(xmm_reg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// Neither Miri nor another processor runs these instructions; no copy is so wide there.
///
/// # Safety
///
/// As above.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
pub(super) unsafe fn copy(_from: *const u8, _to: *mut u8, _len: usize) {
    unreachable!("nothing has {WIDE} bytes");
}
