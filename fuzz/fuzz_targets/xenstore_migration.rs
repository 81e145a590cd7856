//! What one xenstored hands over to the next. The check belongs to the format's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../xenstore/migration/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
