//! Domains' configurations. The check belongs to the toolstack's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../apps/toolstack/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
