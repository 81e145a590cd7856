//! The tests, one subject a file. Each function returns what is wrong, or nothing.

use alloc::string::String;

use core::cell::RefCell;

use morgana_hal::{DomId, Exit, Platform};
use morgana_pv::{Pv, PvIdle, println};

mod events;
mod foreign;
mod grants;
mod heap;
mod protection;
mod time;
mod xenstore;

morgana_pv::boot!(main);

/// Leaves the test with a message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(alloc::format!($($message)+));
        }
    };
}
use ensure;

type Outcome = Result<(), String>;

/// What the tests work with.
struct Guest {
    pv: Pv,
    own: DomId,
    idle: RefCell<PvIdle>,
}

type Test = (&'static str, fn(&Guest) -> Outcome);

fn main(pv: Pv) -> Exit {
    let (Some(own), Some(idle)) = (pv.id(), pv.idle()) else {
        println!("FAILURE: no domain id, or nothing to idle with");
        return Exit::Crash;
    };
    let guest = Guest {
        pv,
        own,
        idle: RefCell::new(idle),
    };
    let tests: [Test; 23] = [
        ("text is read and execute", protection::text),
        ("constants are read-only", protection::constants),
        ("data is not executed", protection::data),
        ("the zero page is unmapped", protection::zero_page),
        ("a guard page is below the stack", protection::guard),
        ("no page is written and executed", protection::nowhere_both),
        ("small objects come and go", heap::small),
        ("large objects come and go", heap::large),
        ("most of memory can be used", heap::most),
        ("time is monotonic", time::monotonic),
        ("the wall clock has a year", time::wall),
        ("sleeps end, and not early", time::sleeps),
        ("entropy differs", time::entropy),
        ("events are counted", events::counted),
        ("ports close", events::close),
        ("a wrong port is refused", events::refused),
        ("a shared page is imported", grants::import),
        ("copies, aligned or not", grants::copy),
        ("wrong grants are refused", grants::refused),
        ("pages in use are quarantined", grants::quarantine),
        ("many grants", grants::many),
        ("foreign frames", foreign::frames),
        ("xenstore answers", xenstore::answers),
    ];
    let mut failures = 0;
    for (name, test) in tests {
        match run(&guest, test) {
            Ok(()) => println!("ok: {name}"),
            Err(why) => {
                println!("FAILURE: {name}: {why}");
                failures += 1;
            }
        }
    }
    if failures == 0 {
        println!("SUCCESS");
        Exit::Poweroff
    } else {
        Exit::Crash
    }
}

/// A test must also leave nothing over.
fn run(guest: &Guest, test: fn(&Guest) -> Outcome) -> Outcome {
    let before = guest.pv.usage();
    test(guest)?;
    let after = guest.pv.usage();
    ensure!(
        after.ports_used == before.ports_used
            && after.quarantined_pages == before.quarantined_pages
            && after.grants_used == before.grants_used,
        "left something over: {before:?}, {after:?}"
    );
    Ok(())
}
