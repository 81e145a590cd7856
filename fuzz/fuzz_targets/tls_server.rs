//! What a client may send in the handshake. The check belongs to the tests of morgana-tls, which replay the corpus on every run.
#![no_main]

#[path = "../../net/tls/tests/hostile/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::server(input));
