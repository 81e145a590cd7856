//! A device that is said to have a queue of jobs. The check belongs to the queue's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../storage/queue/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
