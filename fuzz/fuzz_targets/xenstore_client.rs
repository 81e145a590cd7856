//! What xenstored may answer a client. The check belongs to the client's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../xenstore/client/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
