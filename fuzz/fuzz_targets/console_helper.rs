//! A stub-domain that sends anything to its helper. The check belongs to the console daemon's own tests, which replay the corpus on every run.
#![no_main]

#[allow(dead_code, reason = "the daemon's tests use all of it")]
#[path = "../../console/xenconsoled/tests/hostile/frames.rs"]
mod frames;
#[path = "../../console/xenconsoled/tests/hostile/helper_end.rs"]
mod helper_end;
#[path = "../../console/xenconsoled/tests/hostile/script.rs"]
mod script;
#[allow(dead_code, reason = "the daemon's tests use all of it")]
#[path = "../../console/xenconsoled/tests/hostile/support.rs"]
mod support;
#[path = "../../console/xenconsoled/tests/unserved/mod.rs"]
mod unserved;

libfuzzer_sys::fuzz_target!(|input: &[u8]| helper_end::check(input));
