//! What a link may bring to the network stack: any frames, in any order, with any delays, while an application uses it. The check belongs
//! to the stack's own tests, which replay the corpus on every run.
#![no_main]

#[path = "../../net/stack/tests/hostile/check.rs"]
mod check;
#[path = "../../net/stack/tests/hostile/link.rs"]
mod link;
#[path = "../../net/stack/tests/hostile/script.rs"]
mod script;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    check::check(input);
});
