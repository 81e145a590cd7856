//! A peer that writes anything anywhere: the own end stays inside its bounds, and answers with an error or with garbage that was
//! really in the pages.

use super::std::prelude::v1::*;

use morgana_hal::{LocalPages, Pages};
use proptest::prelude::*;

use super::take;
use crate::{BackRing, FrontRing};

/// Values near what is plausible, and any others.
fn value() -> impl Strategy<Value = u32> {
    prop_oneof![0u32..40, (u32::MAX - 40)..=u32::MAX, any::<u32>()]
}

proptest! {
    #[test]
    fn a_front_end_never_takes_more_responses_than_it_asked_for(
        start in value(),
        steps in prop::collection::vec((0u8..4, 0usize..30, value()), 1..crate::tests::steps(200)),
    ) {
        let pages = LocalPages::new(1);
        let mut ring = FrontRing::<_, [u64; 8], u64>::starting_at(pages.clone(), start).unwrap();
        let (mut published, mut written, mut taken) = (0u32, 0u32, 0u32);
        let mut broken = None;
        for (what, word, value) in steps {
            match what {
                0 => pages.region().store_u32(word * 4, value.wrapping_add(start)),
                1 => written += u32::from(ring.push(&[0; 8]).is_ok()),
                2 => {
                    let _ = ring.publish();
                    published = written;
                }
                _ => {
                    let result = take(64, &mut taken, || ring.pop());
                    if let Some(error) = broken {
                        prop_assert_eq!(result, Err(error));
                    }
                    broken = result.err();
                    prop_assert_eq!(ring.arm().is_err() || ring.available().is_err(), broken.is_some());
                }
            }
            prop_assert!(taken <= published);
            prop_assert_eq!(ring.in_flight(), written - taken);
            prop_assert!(ring.in_flight() <= ring.capacity());
        }
    }

    #[test]
    fn a_back_end_never_holds_more_requests_than_the_ring_has(
        start in value(),
        steps in prop::collection::vec((0u8..4, 0usize..30, value()), 1..crate::tests::steps(200)),
    ) {
        let pages = LocalPages::new(1);
        pages.region().store_u32(0, start);
        pages.region().store_u32(8, start);
        let mut ring = BackRing::<_, [u64; 8], u64>::attach(pages.clone()).unwrap();
        let (mut taken, mut answered, mut published) = (0u32, 0u32, 0u32);
        for (what, word, value) in steps {
            match what {
                0 => pages.region().store_u32(word * 4, value.wrapping_add(start)),
                1 => answered += u32::from(ring.push(&0).is_ok()),
                2 => {
                    let _ = ring.publish();
                    published = answered;
                }
                _ => {
                    let before = taken;
                    let _ = take(20, &mut taken, || ring.pop());
                    prop_assert!(taken - before <= 20);
                    let _ = ring.arm();
                }
            }
            prop_assert_eq!(ring.unanswered(), taken - answered);
            prop_assert!(taken - published <= ring.capacity());
        }
    }
}
