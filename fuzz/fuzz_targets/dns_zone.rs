//! What may be in a zone file. The check belongs to the server's own tests, which replay the
//! corpus on every run.
#![no_main]

#[path = "../../net/dns/tests/hostile/zone.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    check::check(input);
});
