//! A front end that writes anything anywhere it can, at any time, and a back end that goes on with its work.

use morgana_netback::Config;
use morgana_netif::{TxFlags, TxRequest};
use proptest::prelude::*;

use crate::support::{FIRST_INDEX, World};

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// The back end sends a frame, if it can.
    Deliver(usize),
    /// It receives all that it gets in a pass.
    Receive,
    Flush,
    /// The front end asks to send a page.
    Send(u16, u16, u16),
    /// It asks for anything.
    Slot([u8; 12]),
    /// It offers a page, or something else.
    Offer(u16, u32),
    /// It takes in responses.
    Drain,
    /// It writes into a ring's page.
    Write(Ring, usize, u32),
}

#[derive(Clone, Copy, Debug)]
enum Ring {
    Transmit,
    Receive,
}

fn step() -> impl Strategy<Value = Step> {
    let ring = prop_oneof![Just(Ring::Transmit), Just(Ring::Receive)];
    let index = prop_oneof![
        (0..300u32).prop_map(|step| FIRST_INDEX.wrapping_add(step)),
        any::<u32>()
    ];
    let flags = prop_oneof![Just(0u16), 0..16u16];
    prop_oneof![
        4 => (14..1518usize).prop_map(Step::Deliver),
        4 => Just(Step::Receive),
        4 => Just(Step::Flush),
        8 => (0..40u16, 0..1600u16, flags).prop_map(|(id, size, flags)| Step::Send(id, size, flags)),
        1 => any::<[u8; 12]>().prop_map(Step::Slot),
        4 => (any::<u16>(), 0..80u32).prop_map(|(id, gref)| Step::Offer(id, gref)),
        4 => Just(Step::Drain),
        1 => (ring, prop_oneof![0..16usize, 64..4092usize], index).prop_map(|(ring, at, value)| Step::Write(ring, at & !3, value)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_nothing_leaks(steps in prop::collection::vec(step(), 0..200)) {
        let config = Config { inbound_bytes: 8192, outbound_frames: 8, ..Config::default() };
        let mut world = World::with(&config);
        for step in steps {
            match step {
                Step::Deliver(len) => {
                    world.deliver(&vec![0x5a; len]);
                }
                Step::Receive => {
                    let mut received = 0;
                    while let Some(frame) = world.receive() {
                        prop_assert!((14..=1518).contains(&frame.len()));
                        received += 1;
                        prop_assert!(received <= 64);
                    }
                }
                Step::Flush => world.link.flush(),
                Step::Send(id, size, flags) => {
                    if world.tx.free() > 0 {
                        let gref = world.source(usize::from(id) % 20).number();
                        let flags = TxFlags::from_bits_retain(flags);
                        world.request(TxRequest { gref, offset: 0, flags, id, size });
                    }
                }
                Step::Slot(slot) => {
                    if world.tx.free() > 0 {
                        world.slot(slot);
                    }
                }
                Step::Offer(id, gref) => {
                    if world.rx.free() > 0 {
                        world.offer(id, morgana_hal::GrantRef::new(gref));
                    }
                }
                Step::Drain => {
                    while let Ok(Some(_)) = world.tx.pop() {}
                    while let Ok(Some(_)) = world.rx.pop() {}
                }
                Step::Write(Ring::Transmit, at, value) => world.tx_region().store_u32(at, value),
                Step::Write(Ring::Receive, at, value) => world.rx_region().store_u32(at, value),
            }
            let stats = world.link.stats();
            prop_assert!(stats.out_queued <= 8 && stats.violations <= 1);
        }
        world.end();
    }
}
