//! A back end that writes anything anywhere it can, at any time, and a front end that goes on with its work.

use morgana_netfront::{Config, TxChecksum};
use morgana_netif::{RxFlags, TxStatus};
use proptest::prelude::*;

use crate::support::World;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// The front end sends a frame, if it can.
    Send(usize),
    /// It receives all that it gets in a pass.
    Receive,
    Flush,
    /// The back end does its work on a transmit request.
    Answer,
    /// It fills an offered page, with any flags.
    Put(usize, u16),
    /// It answers an offered page with anything.
    PutSlot([u8; 8]),
    /// It answers a transmit request with anything.
    AnswerWith(u16, i16),
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
    let index = prop_oneof![0..300u32, any::<u32>()];
    prop_oneof![
        4 => (14..1514usize).prop_map(Step::Send),
        4 => Just(Step::Receive),
        4 => Just(Step::Flush),
        4 => Just(Step::Answer),
        4 => ((0..4097usize), prop_oneof![Just(0u16), any::<u16>()]).prop_map(|(len, flags)| Step::Put(len, flags)),
        1 => any::<[u8; 8]>().prop_map(Step::PutSlot),
        1 => (any::<u16>(), -3..3i16).prop_map(|(id, status)| Step::AnswerWith(id, status)),
        1 => (ring, prop_oneof![0..16usize, 64..4092usize], index).prop_map(|(ring, at, value)| Step::Write(ring, at & !3, value)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_nothing_leaks(steps in prop::collection::vec(step(), 0..200)) {
        let config = Config { transmit_pages: 8, receive_pages: 32 };
        let mut world = World::with(&config, 1500);
        for step in steps {
            match step {
                Step::Send(len) => {
                    if let Some(slot) = world.link.transmit() {
                        slot.send(len, |frame| {
                            frame.fill(0xa5);
                            TxChecksum::Blank
                        });
                    }
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
                Step::Answer => {
                    if let Ok(Some(request)) = world.tx.pop() {
                        world.answer(request.id, TxStatus::OKAY);
                    }
                }
                Step::AnswerWith(id, status) => {
                    if let Ok(Some(_)) = world.tx.pop() {
                        world.answer(id, TxStatus(status));
                    }
                }
                Step::Put(len, flags) => {
                    if world.rx.available().is_ok_and(|waiting| waiting > 0) {
                        world.put(&vec![1; len], RxFlags::from_bits_retain(flags));
                    }
                }
                Step::PutSlot(slot) => {
                    if world.rx.available().is_ok_and(|waiting| waiting > 0) {
                        world.put_slot(slot);
                    }
                }
                Step::Write(Ring::Transmit, at, value) => world.tx_region().store_u32(at, value),
                Step::Write(Ring::Receive, at, value) => world.rx_region().store_u32(at, value),
            }
            let stats = world.link.stats();
            prop_assert!(stats.tx_in_flight <= stats.tx_buffers && stats.rx_offered <= 32);
            prop_assert!(stats.violations <= 1);
        }
        world.end();
    }
}
