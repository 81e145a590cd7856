//! What a peer may write into the pages of a ring. The check belongs to the ring's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../kernel/ring/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
