//! The ways to end.

use core::hint::black_box;
use core::task::{Context, Poll, Waker};

use alloc::vec::Vec;

use morgana_hal::{ByteStream, Exit, Platform};
use morgana_pv::{Pv, println};

morgana_pv::boot!(main);

fn main(pv: Pv) -> Exit {
    let way = pv.command_line();
    println!("running: {way}");
    match way {
        "poweroff" => Exit::Poweroff,
        "reboot" => Exit::Reboot,
        "crash" => Exit::Crash,
        "panic" => panic!("on purpose: {}", black_box(42)),
        "page-fault" => {
            // A field of something that is not there.
            morgana_pv::provoke_page_fault(0x10);
            survived(way)
        }
        "overflow" => {
            println!("{}", deep(black_box(u64::MAX)));
            survived(way)
        }
        "overflow-unseen" => {
            println!("{}", deep_unseen(black_box(u64::MAX)));
            survived(way)
        }
        "out-of-memory" => {
            let mut all = Vec::new();
            loop {
                all.push(black_box(alloc::vec![1_u8; 10_000]));
            }
        }
        "late-panic" => {
            let console = pv.console();
            if let Some(console) = &console {
                let mut cx = Context::from_waker(Waker::noop());
                let written = console.poll_write(&mut cx, b"through the stream\n");
                assert_eq!(written, Poll::Ready(Ok(19)));
            }
            panic!("after the stream was taken");
        }
        _ => {
            println!("FAILURE: there is no way to end that is called {way:?}");
            Exit::Crash
        }
    }
}

fn survived(way: &str) -> Exit {
    println!("FAILURE: {way} did not end the domain");
    Exit::Poweroff
}

/// Recurses with a little memory from the heap in each step.
#[inline(never)]
fn deep(steps: u64) -> u64 {
    if steps == 0 {
        return 0;
    }
    let kept = black_box(alloc::boxed::Box::new(steps));
    deep(steps - 1).wrapping_add(*kept)
}

/// Recurses on the stack only.
#[inline(never)]
fn deep_unseen(steps: u64) -> u64 {
    if steps == 0 {
        return 0;
    }
    let kept = black_box([steps; 4]);
    deep_unseen(steps - 1).wrapping_add(kept[1])
}
