//! What a peer sends to a node of actors. The check belongs to the crate's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../net/actors/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
