//! What comes over a vchan at either end of a logger's connection, and what a logger has on its disk. The check belongs to the record's own tests, which
//! replay the corpus on every run.
#![no_main]

#[path = "../../console/record/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
