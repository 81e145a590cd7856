//! A disk that is said to be a tar archive. The check belongs to the archive's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../storage/tar/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
