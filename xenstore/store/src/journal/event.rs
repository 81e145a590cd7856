//! What happens to domains and their connections, as records have it.

use morgana_hal::{DomId, Port};
use morgana_xenstore_migration::OwnEvent;
use morgana_xenstore_wire::TransactionId;

use crate::departure::Orphans;

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// It is served from now on, by this port of its own.
    Introduced(Port),
    /// It is not there any longer.
    Released(Orphans),
    /// Those who watch know that it has shut down.
    ShutDown,
    /// The next time they hear of it again.
    Resumed,
    /// Its watches and transactions are gone.
    Cleared,
    /// So is its connection.
    Disconnected,
    /// It acts for another one, too.
    Target(DomId),
    /// It has begun a transaction.
    Began(TransactionId),
    /// It has ended one.
    Ended(TransactionId),
}

const INTRODUCED: u16 = 1;
const RELEASED: u16 = 2;
const SHUT_DOWN: u16 = 3;
const RESUMED: u16 = 4;
const CLEARED: u16 = 5;
const DISCONNECTED: u16 = 6;
const TARGET: u16 = 7;
const BEGAN: u16 = 8;
const ENDED: u16 = 9;

/// In `number` of a domain that is gone: its nodes are kept.
const KEPT: u32 = 1;

impl Event {
    pub(super) fn stated(self, domain: DomId) -> OwnEvent {
        let (what, number) = match self {
            Self::Introduced(port) => (INTRODUCED, port.number()),
            Self::Released(Orphans::Remove) => (RELEASED, 0),
            Self::Released(Orphans::Keep) => (RELEASED, KEPT),
            Self::ShutDown => (SHUT_DOWN, 0),
            Self::Resumed => (RESUMED, 0),
            Self::Cleared => (CLEARED, 0),
            Self::Disconnected => (DISCONNECTED, 0),
            Self::Target(target) => (TARGET, target.number().into()),
            Self::Began(id) => (BEGAN, id.0),
            Self::Ended(id) => (ENDED, id.0),
        };
        OwnEvent {
            domain,
            what,
            number,
        }
    }

    /// `None` if it is none that is known here.
    pub(super) fn of_stated(event: &OwnEvent) -> Option<Self> {
        let number = event.number;
        Some(match event.what {
            INTRODUCED => Self::Introduced(Port::new(number)),
            RELEASED if number == KEPT => Self::Released(Orphans::Keep),
            RELEASED => Self::Released(Orphans::Remove),
            SHUT_DOWN => Self::ShutDown,
            RESUMED => Self::Resumed,
            CLEARED => Self::Cleared,
            DISCONNECTED => Self::Disconnected,
            TARGET => Self::Target(DomId::new(u16::try_from(number).ok()?)),
            BEGAN => Self::Began(TransactionId(number)),
            ENDED => Self::Ended(TransactionId(number)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let domain = DomId::new(7);
        for event in [
            Event::Introduced(Port::new(9)),
            Event::Released(Orphans::Remove),
            Event::Released(Orphans::Keep),
            Event::ShutDown,
            Event::Resumed,
            Event::Cleared,
            Event::Disconnected,
            Event::Target(DomId::new(3)),
            Event::Began(TransactionId(u32::MAX)),
            Event::Ended(TransactionId(1)),
        ] {
            assert_eq!(Event::of_stated(&event.stated(domain)), Some(event));
        }
    }
}
