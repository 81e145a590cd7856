//! Tells where the apps are, when they answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::answers;
use super::plan::{Announce, Plan};
use crate::cli::PortPair;

/// Says where the apps are, as soon as they are there.
pub(super) fn tell(plans: &[Plan<'_>], announce: &Announce, over: &AtomicBool) {
    std::thread::scope(|scope| {
        let forwards = plans.iter().flat_map(|plan| &plan.forwards);
        let asking: Vec<_> = forwards
            .map(|&forward| {
                scope.spawn(move || {
                    let there = wait(forward, over);
                    if there && matches!(announce, Announce::Each) {
                        eprintln!("{}", answers::announcement(forward));
                    }
                    there
                })
            })
            .collect();
        let all = asking
            .into_iter()
            .all(|thread| thread.join().unwrap_or(false));
        if let (true, Announce::Together(text)) = (all, announce) {
            eprintln!("{text}");
        }
    });
}

/// Waits until something answers; false if that is over before.
fn wait(forward: PortPair, over: &AtomicBool) -> bool {
    const PAUSE: Duration = Duration::from_millis(100);
    while !over.load(Ordering::SeqCst) {
        // QEMU accepts connections for a guest that is not there yet, so only an answer counts.
        if answers::answers(forward, Duration::from_secs(2)) {
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    false
}
