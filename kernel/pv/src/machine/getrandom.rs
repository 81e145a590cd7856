//! Random bytes for crates that ask for them by a symbol: getrandom 0.2 with its feature `custom`, and ring through it.

use super::entropy;

/// Fills `len` bytes at `into`. The name and the shape are getrandom's (`register_custom_getrandom!`); 0 says that it was done.
///
/// # Safety
///
/// `into` must be valid for writes of `len` bytes.
#[unsafe(no_mangle)]
unsafe fn __getrandom_custom(into: *mut u8, len: usize) -> u32 {
    // SAFETY: the caller says that these bytes may be written, and nobody else has them meanwhile. They may be uninitialised, for which zeroing
    // them comes first.
    let out = unsafe {
        into.write_bytes(0, len);
        core::slice::from_raw_parts_mut(into, len)
    };
    entropy::fill(out);
    0
}
