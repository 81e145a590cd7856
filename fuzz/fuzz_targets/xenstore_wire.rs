//! What comes over a xenstore connection, at either end. The check belongs to the wire format's own tests, which replay the corpus on
//! every run.
#![no_main]

#[path = "../../xenstore/wire/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
