//! What a client may send to the HTTP server: any bytes, in any pieces. The check and its app belong to the server's
//! own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../net/http/tests/server/app.rs"]
mod app;
#[path = "../../net/http/tests/server/check.rs"]
mod check;
#[path = "../../net/http/tests/server/support.rs"]
#[allow(dead_code)] // The tests use more of it than the check does.
mod support;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
