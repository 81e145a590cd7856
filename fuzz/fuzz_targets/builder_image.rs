//! An image that domains are built of. The check belongs to the builder's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../kernel/builder/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
