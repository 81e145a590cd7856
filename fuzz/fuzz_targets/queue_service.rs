//! What a client may send to the service of a job queue: any bytes. The check belongs to the crate's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../apps/queue/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
