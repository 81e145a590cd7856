//! What a server may send to the HTTP client: any bytes, in any pieces. The check belongs to the client's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../net/http/tests/client/check.rs"]
mod check;
#[path = "../../net/http/tests/client/scripted.rs"]
mod scripted;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
