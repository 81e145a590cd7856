//! What a stranger may send to the DNS server: any message, over UDP or TCP. The check belongs to the server's own tests, which replay the
//! corpus on every run.
#![no_main]

#[path = "../../net/dns/tests/hostile/query.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    check::check(input);
});
