//! One rule a test.

use super::std::prelude::v1::*;
use morgana_hal::{LocalPages, Pages};

use super::take;
use crate::layout::{REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD};
use crate::{Armed, BackRing, FrontRing, Notify, RingError, RingFull};

type Front = FrontRing<LocalPages, [u8; 12], u32>;
type Back = BackRing<LocalPages, [u8; 12], u32>;

fn pair(index: u32) -> (Front, Back, LocalPages) {
    let pages = LocalPages::new(1);
    let front = Front::starting_at(pages.clone(), index).unwrap();
    let back = Back::attach(pages.clone()).unwrap();
    (front, back, pages)
}

#[test]
fn requests_and_responses_cross_the_wrap_around() {
    let rounds = super::steps(1000) as u32;
    let (mut front, mut back, _) = pair(u32::MAX - rounds / 3);
    for round in 0..rounds {
        let mut request = [7; 12];
        request[..4].copy_from_slice(&round.to_le_bytes());
        front.push(&request).unwrap();
        assert_eq!(back.pop().unwrap(), None, "not published yet");
        assert_eq!(front.publish(), Notify::Needed);
        assert_eq!(back.pop().unwrap(), Some(request));
        back.push(&round).unwrap();
        assert_eq!(back.publish(), Notify::Needed);
        assert_eq!(front.pop().unwrap(), Some(round));
        assert_eq!(front.arm().unwrap(), Armed::Idle);
        assert_eq!(back.arm().unwrap(), Armed::Idle);
    }
}

#[test]
fn a_full_ring_takes_no_more_until_a_response_is_taken() {
    let (mut front, mut back, _) = pair(0);
    for _ in 0..256 {
        front.push(&[1; 12]).unwrap();
    }
    assert_eq!(front.push(&[1; 12]), Err(RingFull));
    assert_eq!(back.push(&0), Err(RingFull), "nothing to answer yet");
    let _ = front.publish();
    assert_eq!(back.available(), Ok(256));
    let mut taken = 0;
    assert_eq!(take(64, &mut taken, || back.pop()), Ok(()));
    assert_eq!(taken, 64);
    back.push(&5).unwrap();
    assert_eq!(
        front.push(&[1; 12]),
        Err(RingFull),
        "the response is not taken yet"
    );
    let _ = back.publish();
    assert_eq!(front.pop(), Ok(Some(5)));
    assert_eq!(front.free(), 1);
    front.push(&[2; 12]).unwrap();
    let _ = front.publish();
    assert_eq!(take(1000, &mut taken, || back.pop()), Ok(()));
    assert_eq!(taken, 257);
}

#[test]
fn only_the_entry_that_the_peer_waits_for_needs_a_notification() {
    let (mut front, mut back, _) = pair(0);
    assert_eq!(front.publish(), Notify::NotNeeded, "nothing is new");
    for _ in 0..3 {
        front.push(&[0; 12]).unwrap();
    }
    assert_eq!(
        front.publish(),
        Notify::Needed,
        "a fresh ring waits for the first"
    );
    front.push(&[0; 12]).unwrap();
    assert_eq!(
        front.publish(),
        Notify::NotNeeded,
        "the back end is at work"
    );
    assert_eq!(back.arm(), Ok(Armed::Work));
    assert_eq!(take(64, &mut 0, || back.pop()), Ok(()));
    assert_eq!(back.arm(), Ok(Armed::Idle));
    front.push(&[0; 12]).unwrap();
    assert_eq!(front.publish(), Notify::Needed);
}

#[test]
fn an_event_can_be_asked_for_after_several_responses() {
    let (mut front, mut back, _) = pair(u32::MAX - 1);
    for _ in 0..4 {
        front.push(&[0; 12]).unwrap();
    }
    let _ = front.publish();
    assert_eq!(front.arm_after(3), Ok(Armed::Idle));
    for expected in [
        Notify::NotNeeded,
        Notify::NotNeeded,
        Notify::Needed,
        Notify::NotNeeded,
    ] {
        back.pop().unwrap().unwrap();
        back.push(&0).unwrap();
        assert_eq!(back.publish(), expected);
    }
    assert_eq!(front.arm_after(4), Ok(Armed::Work));
}

#[test]
fn more_responses_than_requests_are_refused_for_good() {
    let (mut front, _, pages) = pair(0);
    front.push(&[0; 12]).unwrap();
    front.push(&[0; 12]).unwrap();
    let _ = front.publish();
    front.push(&[0; 12]).unwrap();
    // Three are written but only two are published, so a third response is a lie.
    pages.region().store_u32(RSP_PROD, 3);
    assert_eq!(front.pop(), Err(RingError::TooManyResponses));
    pages.region().store_u32(RSP_PROD, 1);
    assert_eq!(front.pop(), Err(RingError::TooManyResponses));
    assert_eq!(front.arm(), Err(RingError::TooManyResponses));
    assert_eq!(front.available(), Err(RingError::TooManyResponses));
}

#[test]
fn responses_that_go_back_are_refused() {
    let (mut front, _, pages) = pair(10);
    for _ in 0..4 {
        front.push(&[0; 12]).unwrap();
    }
    let _ = front.publish();
    pages.region().store_u32(RSP_PROD, 13);
    assert_eq!(front.available(), Ok(3));
    pages.region().store_u32(RSP_PROD, 12);
    assert!(
        front.pop().unwrap().is_some(),
        "three were seen, no need to look again"
    );
    assert_eq!(front.available(), Err(RingError::ResponsesWentBack));
    assert_eq!(front.pop(), Err(RingError::ResponsesWentBack));
}

#[test]
fn requests_out_of_bounds_are_refused() {
    for (alleged, error) in [
        (10u32.wrapping_add(257), RingError::TooManyRequests),
        (9, RingError::RequestsWentBack),
        (10 ^ (1 << 31), RingError::RequestsWentBack),
    ] {
        let (_, mut back, pages) = pair(10);
        pages.region().store_u32(REQ_PROD, alleged);
        assert_eq!(back.pop(), Err(error));
        assert_eq!(back.arm(), Err(error));
    }
    let (_, mut back, pages) = pair(10);
    pages.region().store_u32(REQ_PROD, 10 + 256);
    let mut taken = 0;
    assert_eq!(take(1000, &mut taken, || back.pop()), Ok(()));
    assert_eq!(taken, 256);
    pages.region().store_u32(REQ_PROD, 10 + 257);
    assert_eq!(
        back.pop(),
        Err(RingError::TooManyRequests),
        "none is answered yet"
    );
}

#[test]
fn a_successor_of_the_back_end_finds_what_is_unanswered() {
    let (mut front, mut back, pages) = pair(u32::MAX);
    for i in 0..3 {
        front.push(&[i; 12]).unwrap();
    }
    let _ = front.publish();
    back.pop().unwrap().unwrap();
    back.push(&100).unwrap();
    let _ = back.publish();
    back.pop().unwrap().unwrap();
    drop(back);
    let mut back = Back::attach(pages.clone()).unwrap();
    assert_eq!(back.pop(), Ok(Some([1; 12])));
    pages.region().store_u32(REQ_PROD, 1000);
    assert_eq!(Back::attach(pages).err(), Some(RingError::TooManyRequests));
}

#[test]
fn pages_that_are_too_few_are_an_error() {
    assert_eq!(
        Front::new(LocalPages::new(0)).err(),
        Some(RingError::NoRoom)
    );
    assert_eq!(
        Back::attach(LocalPages::new(0)).err(),
        Some(RingError::NoRoom)
    );
}

#[test]
fn the_shared_page_looks_as_ring_h_says() {
    let (mut front, mut back, pages) = pair(0);
    let word = |offset| pages.region().load_u32(offset);
    assert_eq!(
        [REQ_PROD, REQ_EVENT, RSP_PROD, RSP_EVENT].map(word),
        [0, 1, 0, 1]
    );
    front.push(&[0x11; 12]).unwrap();
    front.push(&[0x22; 12]).unwrap();
    let _ = front.publish();
    assert_eq!(&pages.snapshot()[64..88], [[0x11; 12], [0x22; 12]].concat());
    back.pop().unwrap().unwrap();
    back.push(&0x0403_0201).unwrap();
    let _ = back.publish();
    assert_eq!(&pages.snapshot()[64..68], [1, 2, 3, 4]);
    assert_eq!(take(9, &mut 0, || back.pop()), Ok(()));
    assert_eq!(back.arm(), Ok(Armed::Idle));
    assert_eq!(
        [REQ_PROD, REQ_EVENT, RSP_PROD, RSP_EVENT].map(word),
        [2, 3, 1, 1]
    );
}
