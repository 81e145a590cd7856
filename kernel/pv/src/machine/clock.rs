//! Time: Xen's paravirtual clock and its wall clock.
//!
//! Xen writes the parameters with a version that is odd while it writes. A reader that sees an even version, the same before and
//! after, has a consistent copy (xen.h, `struct vcpu_time_info`).

use core::arch::x86_64::{_mm_lfence, _rdtsc};
use core::cell::Cell;
use core::mem::offset_of;
use core::sync::atomic::{Ordering, fence};

use morgana_abi::shared_info::{SharedInfo, VcpuTimeInfo};
use morgana_hal::{Clock, Instant, WallTime};

use super::one_cpu::OneCpu;
use super::shared_info::{TIME, half, is_attached, word};
use crate::pvclock::Parameters;

/// The latest time told: a virtual processor that moves between real ones must not see time go back.
static LATEST: OneCpu<Cell<u64>> = OneCpu::new(Cell::new(0));

/// Xen's clocks. The monotonic clock is Xen's system time: nanoseconds since the machine's boot.
#[derive(Debug, Clone, Copy)]
pub struct PvClock;

impl Clock for PvClock {
    fn now(&self) -> Instant {
        if !is_attached() {
            return Instant::ZERO;
        }
        let parameters = consistent(TIME + offset_of!(VcpuTimeInfo, version), || Parameters {
            tsc: word(TIME + offset_of!(VcpuTimeInfo, tsc_timestamp)).load(Ordering::Relaxed),
            system_ns: word(TIME + offset_of!(VcpuTimeInfo, system_time)).load(Ordering::Relaxed),
            multiplier: half(TIME + offset_of!(VcpuTimeInfo, tsc_to_system_mul))
                .load(Ordering::Relaxed),
            // The shift is the low byte of the word that follows.
            shift: half(TIME + offset_of!(VcpuTimeInfo, tsc_shift)).load(Ordering::Relaxed) as i8,
        });
        let now = parameters.system_time(counter()).max(LATEST.get());
        LATEST.set(now);
        Instant::from_nanos(now)
    }

    fn wall(&self) -> WallTime {
        if !is_attached() {
            return WallTime::from_unix_nanos(0);
        }
        let (seconds, nanos) = consistent(offset_of!(SharedInfo, wc_version), || {
            let low = half(offset_of!(SharedInfo, wc_sec)).load(Ordering::Relaxed);
            let high = half(offset_of!(SharedInfo, wc_sec_hi)).load(Ordering::Relaxed);
            let nanos = half(offset_of!(SharedInfo, wc_nsec)).load(Ordering::Relaxed);
            (u64::from(high) << 32 | u64::from(low), u64::from(nanos))
        });
        WallTime::from_unix_nanos(
            seconds
                .saturating_mul(1_000_000_000)
                .saturating_add(nanos)
                .saturating_add(self.now().as_nanos()),
        )
    }
}

/// The time stamp counter, read after all loads before it.
pub(super) fn counter() -> u64 {
    // SAFETY: both instructions exist on every 64-bit processor, and Xen lets a PV guest execute them (or emulates them).
    unsafe {
        _mm_lfence();
        _rdtsc()
    }
}

/// Reads until the version at `offset` stands still. Xen holds it odd for a few instructions only.
fn consistent<T>(offset: usize, read: impl Fn() -> T) -> T {
    let version = half(offset);
    loop {
        let before = version.load(Ordering::Acquire);
        let value = read();
        fence(Ordering::Acquire);
        if before & 1 == 0 && version.load(Ordering::Relaxed) == before {
            return value;
        }
        core::hint::spin_loop();
    }
}
