//! A guest that writes anything into its console's ring. The check belongs to the console daemon's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../console/xenconsoled/tests/hostile/guest.rs"]
mod guest;
#[path = "../../console/xenconsoled/tests/hostile/script.rs"]
mod script;
#[allow(dead_code, reason = "the daemon's tests use all of it")]
#[path = "../../console/xenconsoled/tests/hostile/support.rs"]
mod support;
#[path = "../../console/xenconsoled/tests/unserved/mod.rs"]
mod unserved;

libfuzzer_sys::fuzz_target!(|input: &[u8]| guest::check(input));
