//! What goes wrong in the tests.

use core::time::Duration;

use morgana_emul::Trouble;

/// With these a connection goes on, sooner or later.
pub const HARMLESS: [Trouble; 8] = [
    Trouble::LateEvent(Duration::from_millis(3)),
    Trouble::RepeatedEvent(Duration::from_millis(1)),
    Trouble::SpuriousEvents,
    Trouble::LateXenstore(Duration::from_millis(20)),
    Trouble::FullGrants,
    Trouble::NoMemory,
    Trouble::FullMappings,
    Trouble::FullPorts,
];
