//! Who gives way to whom, where several things run at once.

use rustix::process::nice;

/// What comes after the machine of the tests on Xen, whose time counts for what runs in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Priority {
    /// What such a test waits for, or soon will.
    WantedSoon,
    /// What nobody waits for before the end.
    WhateverIsLeft,
}

/// Gives the calling thread that priority, and so all that it starts. (Linux keeps it by thread.)
pub(super) fn run_at(priority: Priority) {
    let steps = match priority {
        Priority::WantedSoon => 5,
        Priority::WhateverIsLeft => 10,
    };
    // Where it cannot be, all is as fast as the rest.
    let _ = nice(steps);
}
