//! What one xenstored hands over to the next, taken up by the store. The check belongs to the store's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../xenstore/store/tests/hostile/load.rs"]
mod load;

libfuzzer_sys::fuzz_target!(|input: &[u8]| load::check(input));
