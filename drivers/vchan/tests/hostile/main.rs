//! The other end of a vchan, as a program that writes anything anywhere it can, at any time.

mod replay;
mod script;
mod support;

use morgana_hal::{GrantRef, MemoryError, StreamError};
use morgana_vchan::{Sizes, VchanError};

use support::{Faked, ORDERS, Party, World};

/// Rings inside the page.
const SMALL: Sizes = Sizes {
    to_server: 1024,
    to_client: 2048,
};

fn at_the_server(damage: impl Fn(&Party), expected: StreamError) {
    let world = World::server(SMALL);
    let party = world.party.as_ref().unwrap();
    damage(party);
    assert_eq!(party.read(10).unwrap_err(), expected);
    assert_eq!(party.write(10).unwrap_err(), expected);
    world.end();
}

#[test]
fn a_client_that_lies_about_indices_ends_it() {
    // It has written more than there is room for, and less than it had.
    at_the_server(|party| party.set_produced(1025), StreamError::BadIndices);
    at_the_server(
        |party| party.set_produced(u32::MAX),
        StreamError::BadIndices,
    );
    // It goes, and leaves nothing.
    at_the_server(|party| party.set_live(0), StreamError::Closed);
}

#[test]
fn a_client_that_has_read_what_was_not_written_ends_it() {
    let world = World::server(SMALL);
    let party = world.party.as_ref().unwrap();
    assert_eq!(party.write(10), Ok(10));
    party.set_consumed(11);
    assert_eq!(party.write(10), Err(StreamError::BadIndices));
    // It does not get better.
    party.set_consumed(10);
    assert_eq!(party.write(10), Err(StreamError::BadIndices));
    assert_eq!(party.read(10), Err(StreamError::BadIndices));
    world.end();
}

#[test]
fn sizes_that_change_later_change_nothing() {
    let world = World::server(SMALL);
    let party = world.party.as_ref().unwrap();
    party.region().store_u32(ORDERS, 20 | 20 << 16);
    party.set_produced(1024);
    assert_eq!(party.read(5000), Ok(1024));
    assert_eq!(party.write(5000), Ok(2048));
    assert_eq!(party.write(1), Ok(0));
    world.end();
}

#[test]
fn a_server_that_makes_no_sense_is_refused() {
    let refused = |faked: Faked| {
        let world = World::client(&faked);
        let error = world.refused.clone();
        world.end();
        error
    };
    let good = Faked::default();
    assert_eq!(refused(good.clone()), None);
    for (left, right) in [(0, 0), (9, 12), (21, 12), (12, 0xffff), (10, 10), (10, 13)] {
        let orders = left | right << 16;
        let faked = Faked {
            orders,
            ..good.clone()
        };
        assert_eq!(refused(faked), Some(VchanError::BadOrders(orders)));
    }
    let faked = Faked {
        live: 0,
        ..good.clone()
    };
    assert_eq!(refused(faked), Some(VchanError::Closed));
    // A page that it does not grant, and one twice.
    let bad = Some(VchanError::Memory(MemoryError::BadGrant));
    for grants in [
        vec![Err(GrantRef::new(u32::MAX)), Ok(1), Ok(2)],
        vec![Ok(0), Ok(1), Ok(0)],
    ] {
        let orders = 12 | 13 << 16;
        let faked = Faked {
            orders,
            grants,
            ..good.clone()
        };
        assert_eq!(refused(faked), bad);
    }
}
