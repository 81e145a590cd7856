//! A helper that sends anything to its stub-domain. The check belongs to the console daemon's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../console/xenconsoled/tests/hostile/daemon_end.rs"]
mod daemon_end;
#[allow(dead_code, reason = "the daemon's tests use all of it")]
#[path = "../../console/xenconsoled/tests/hostile/frames.rs"]
mod frames;
#[path = "../../console/xenconsoled/tests/hostile/script.rs"]
mod script;

libfuzzer_sys::fuzz_target!(|input: &[u8]| daemon_end::check(input));
