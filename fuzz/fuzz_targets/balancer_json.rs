//! Texts for the load balancer's control interface. The check belongs to the balancer's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../apps/balancer/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
