//! Bytes that nobody else can guess.
//!
//! RDRAND where the processor has it (all that run Xen of today). Without it, jitter of the time stamp counter over hypercalls is
//! mixed: better than nothing, and no more is claimed.

use core::arch::x86_64::{__cpuid, _rdrand64_step};

use super::clock::counter;
use super::hypercall;

/// Fills `out`.
pub(super) fn fill(out: &mut [u8]) {
    // Intel SDM vol. 2, CPUID leaf 1: ECX bit 30.
    let has_rdrand = __cpuid(1).ecx & (1 << 30) != 0;
    for chunk in out.chunks_mut(8) {
        let word = if has_rdrand { rdrand() } else { None }.unwrap_or_else(jitter);
        chunk.copy_from_slice(&word.to_ne_bytes()[..chunk.len()]);
    }
}

/// Ten tries, as Intel advises (SDM vol. 1, 7.3.17).
fn rdrand() -> Option<u64> {
    #[target_feature(enable = "rdrand")]
    fn step() -> Option<u64> {
        let mut word = 0;
        (_rdrand64_step(&mut word) == 1).then_some(word)
    }
    // SAFETY: `fill` has seen that the processor has RDRAND.
    (0..10).find_map(|_| unsafe { step() })
}

/// 128 intervals, each with a bit or more of noise, through the finaliser of splitmix64.
fn jitter() -> u64 {
    let mut state = counter();
    for _ in 0..128 {
        hypercall::yield_now();
        state = (state ^ counter()).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}
