//! The other end of a vchan that writes anything anywhere it can. The scripts are those of the driver's own tests.
#![no_main]

#[path = "../../drivers/vchan/tests/hostile/script.rs"]
mod script;
#[allow(dead_code, reason = "the driver's tests use all of it")]
#[path = "../../drivers/vchan/tests/hostile/support.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| script::play(bytes));
