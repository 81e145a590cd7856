//! Both ends against a model of two queues, with sleeping ends that only a notification wakes.

use super::std::prelude::v1::*;
use alloc::collections::VecDeque;

use morgana_hal::LocalPages;
use proptest::prelude::*;

use crate::{Armed, BackRing, FrontRing};

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(u8),
    Publish,
    Serve(u8),
    Answer(u8),
    PublishAnswers,
    Take(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1u8..40).prop_map(Step::Ask),
        Just(Step::Publish),
        (1u8..40).prop_map(Step::Serve),
        (1u8..40).prop_map(Step::Answer),
        Just(Step::PublishAnswers),
        (1u8..40).prop_map(Step::Take),
    ]
}

proptest! {
    #[test]
    fn nothing_is_lost_repeated_or_slept_over(
        start in prop_oneof![Just(0u32), (u32::MAX - 100)..=u32::MAX, any::<u32>()],
        steps in prop::collection::vec(step(), 1..crate::tests::steps(400)),
    ) {
        // 64-byte requests: 32 entries in a page, so the ring is often full.
        let pages = LocalPages::new(1);
        let mut front = FrontRing::<_, [u64; 8], u64>::starting_at(pages.clone(), start).unwrap();
        let mut back = BackRing::<_, [u64; 8], u64>::attach(pages).unwrap();
        prop_assert_eq!(front.capacity(), 32);

        let mut asked = 0u64;
        let (mut written, mut shown) = (VecDeque::new(), VecDeque::new());
        let mut serving = VecDeque::new();
        let (mut answered, mut shown_answers) = (VecDeque::new(), VecDeque::new());
        // An end that has armed and found nothing sleeps; it may not do anything until it is notified.
        let (mut front_sleeps, mut back_sleeps) = (false, false);

        for step in steps {
            match step {
                Step::Ask(count) => for _ in 0..count {
                    let in_flight = written.len() + shown.len() + serving.len() + answered.len() + shown_answers.len();
                    prop_assert_eq!(front.in_flight() as usize, in_flight);
                    let pushed = front.push(&[asked; 8]);
                    prop_assert_eq!(pushed.is_ok(), in_flight < 32);
                    if pushed.is_ok() {
                        written.push_back(asked);
                        asked += 1;
                    }
                },
                Step::Publish => {
                    let notify = front.publish();
                    if back_sleeps && !written.is_empty() {
                        prop_assert!(notify.is_needed(), "the back end sleeps");
                    }
                    back_sleeps &= !notify.is_needed();
                    shown.append(&mut written);
                }
                Step::Serve(budget) => {
                    if back_sleeps {
                        continue;
                    }
                    for _ in 0..budget {
                        let request = back.pop().unwrap();
                        prop_assert_eq!(request.map(|r| r[7]), shown.pop_front());
                        serving.extend(request.map(|r| r[0]));
                    }
                    back_sleeps = back.arm().unwrap() == Armed::Idle;
                    prop_assert_eq!(back_sleeps, shown.is_empty());
                }
                Step::Answer(count) => for _ in 0..count {
                    let Some(request) = serving.pop_front() else {
                        prop_assert!(back.push(&0).is_err());
                        break;
                    };
                    back.push(&!request).unwrap();
                    answered.push_back(!request);
                },
                Step::PublishAnswers => {
                    let notify = back.publish();
                    if front_sleeps && !answered.is_empty() {
                        prop_assert!(notify.is_needed(), "the front end sleeps");
                    }
                    front_sleeps &= !notify.is_needed();
                    shown_answers.append(&mut answered);
                }
                Step::Take(budget) => {
                    if front_sleeps {
                        continue;
                    }
                    for _ in 0..budget {
                        prop_assert_eq!(front.pop().unwrap(), shown_answers.pop_front());
                    }
                    front_sleeps = front.arm().unwrap() == Armed::Idle;
                    prop_assert_eq!(front_sleeps, shown_answers.is_empty());
                }
            }
        }
    }
}
