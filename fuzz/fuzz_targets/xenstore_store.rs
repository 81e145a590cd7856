//! What domains may ask of the store. The check belongs to the store's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../xenstore/store/tests/hostile/check.rs"]
mod check;
#[allow(dead_code, reason = "the store's tests use all of it")]
#[path = "../../xenstore/store/tests/hostile/journal.rs"]
mod journal;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
