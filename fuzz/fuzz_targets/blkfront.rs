//! A block back end that writes anything anywhere it can, and our front end. The scripts are those of the driver's own tests.
#![no_main]

#[path = "../../drivers/blkfront/tests/hostile/script.rs"]
mod script;
#[allow(dead_code, reason = "the driver's tests use all of it")]
#[path = "../../drivers/blkfront/tests/hostile/support.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| script::play(bytes));
