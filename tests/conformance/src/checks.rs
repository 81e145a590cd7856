//! The list of checks, and the macro that makes a test of each.

use core::fmt;

use morgana_hal::Platform;

use crate::{Outcome, Scene, clock, events, memory, usage, xenstore};

macro_rules! checks {
    ($($(#[$doc:meta])* $check:ident, $test:ident = $($function:ident)::+;)*) => {
        /// One thing that a platform must do.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Check {
            $($(#[$doc])* $check,)*
        }

        impl Check {
            /// All, in the order in which the suite goes through them.
            pub const ALL: &[Self] = &[$(Self::$check,)*];

            /// Its name: the subject and what is shown.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$check => stringify!($test),)*
                }
            }

            /// Plays one part in it.
            pub(crate) async fn play<P: Platform>(self, scene: &Scene<'_, P>) -> Outcome {
                match self {
                    $(Self::$check => $($function)::+(scene).await,)*
                }
            }
        }

        /// Makes a `#[test]` of each check. The argument is a function that takes a [`Check`] and panics unless it holds on some
        /// platform.
        #[macro_export]
        macro_rules! conformance {
            ($run:path) => {
                $(
                    #[test]
                    fn $test() {
                        $run($crate::Check::$check);
                    }
                )*
            };
        }
    };
}

checks! {
    /// Each event is counted and wakes who waits; many at once may be counted as one, but none is lost or made up.
    EventsCounted, events_counted = events::counted;
    /// One event wakes all who wait, and a count that is old already is an answer at once.
    EventsWakeAll, events_wake_all = events::wake_all;
    /// Of many channels only the one that was notified counts.
    EventsApart, events_apart = events::apart;
    /// To connect takes a port that is open for this domain, and not taken.
    EventsRefused, events_refused = events::refused;
    /// A closed end is not an event; the port waits for the same domain again.
    EventsClosed, events_closed = events::closed;
    /// The port table has an end, and room again afterwards.
    EventsFull, events_full = events::full;
    /// A virtual interrupt is bound once.
    EventsVirq, events_virq = events::virq;
    /// Pages are zero at first, and the same bytes for both from then on.
    MemoryShared, memory_shared = memory::shared::both_ways;
    /// As many pages as a large ring has, by as many grants.
    MemoryLarge, memory_large = memory::shared::large;
    /// Read-only pages are read by copies and in no way written.
    MemoryReadOnly, memory_read_only = memory::shared::read_only;
    /// References that name nothing are refused, and with them all that is imported together.
    MemoryBadGrants, memory_bad_grants = memory::refused::bad_grants;
    /// A grant is for one domain only, and that domain must exist to be asked.
    MemoryWrongDomain, memory_wrong_domain = memory::refused::wrong_domain;
    /// Copies out of a peer's pages: every length and alignment, each with its own status.
    MemoryCopyFrom, memory_copy_from = memory::copies::from;
    /// Copies into a peer's pages, the same.
    MemoryCopyTo, memory_copy_to = memory::copies::to;
    /// No copy leaves its page.
    MemoryOutOfPage, memory_out_of_page = memory::copies::out_of_page;
    /// Giving pages back ends the access to them.
    MemoryEnded, memory_ended = memory::ends::ended;
    /// Pages that the peer maps when they are given back are set aside, counted, and free again when it lets go.
    MemoryQuarantine, memory_quarantine = memory::ends::quarantine;
    /// Memory and grant references have an end, and there are some again afterwards.
    MemoryFull, memory_full = memory::ends::full;
    /// Time goes on and never back, and sleeps are not too short.
    ClockMonotonic, clock_monotonic = clock::monotonic;
    /// The time of day is one, and goes on as the monotonic clock does.
    ClockWall, clock_wall = clock::wall;
    /// Random bytes are.
    Entropy, entropy = clock::entropy;
    /// The stream to xenstored is given once, and carries long messages and many at a time.
    XenstoreStream, xenstore_stream = xenstore::stream;
    /// Both see one tree.
    XenstoreTree, xenstore_tree = xenstore::tree;
    /// The figures of what is in use follow what is taken and given back.
    UsageFollows, usage_follows = usage::follows;
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
