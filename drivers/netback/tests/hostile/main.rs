//! Front ends that break the rules, or only come close.

mod replay;
mod script;
mod support;

use std::task::{Context, Poll, Waker};

use morgana_hal::GrantRef;
use morgana_netback::{Config, Violation};
use morgana_netif::{ExtraInfo, GsoProtocol, MacAddr, RxFlags, TxFlags, TxRequest, TxStatus};
use morgana_ring::RingError;
use support::{FIRST_INDEX, REQ_PROD, World};
use zerocopy::transmute;

/// The back end must meet this violation when it looks, be inert from then on, and leave nothing behind.
fn is_left(mut world: World, violation: Violation) {
    while world.link.receive().is_some() {}
    world.link.flush();
    assert_eq!(world.link.violation(), Some(violation));
    assert!(world.link.transmit().is_none() && world.link.receive().is_none());
    assert_eq!(world.link.stats().violations, 1);
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(world.link.poll_ready(&mut cx), Poll::Ready(()));
    assert_eq!(world.link.poll_ready(&mut cx), Poll::Pending);
    world.end();
}

#[test]
fn impossible_indices() {
    let world = World::new();
    world
        .tx_region()
        .store_u32(REQ_PROD, FIRST_INDEX.wrapping_add(257));
    is_left(world, Violation::TransmitRing(RingError::TooManyRequests));

    let mut world = World::new();
    world.send(0, 60, TxFlags::empty());
    assert!(world.receive().is_some());
    world.tx_region().store_u32(REQ_PROD, FIRST_INDEX);
    is_left(world, Violation::TransmitRing(RingError::RequestsWentBack));

    let mut world = World::new();
    world
        .rx_region()
        .store_u32(REQ_PROD, FIRST_INDEX.wrapping_add(257));
    assert!(world.deliver(&[1; 60]));
    is_left(world, Violation::ReceiveRing(RingError::TooManyRequests));
}

#[test]
fn frames_and_answers_come_in_order() {
    let mut world = World::new();
    for id in 0..5 {
        world.send(id, 60 + id, TxFlags::empty());
    }
    for id in 0..5u16 {
        assert_eq!(world.receive(), Some(vec![id as u8; 60 + usize::from(id)]));
    }
    assert_eq!(world.receive(), None);
    world.link.flush();
    for id in 0..5 {
        assert_eq!(world.answer(), Some((id, TxStatus::OKAY)));
    }
    assert_eq!(world.answer(), None);
    world.end();
}

#[test]
fn data_outside_of_the_page() {
    for (offset, size) in [(4096, 60), (4037, 60), (u16::MAX, u16::MAX)] {
        let mut world = World::new();
        let gref = world.source(0).number();
        let request = TxRequest {
            gref,
            offset,
            flags: TxFlags::empty(),
            id: 0,
            size,
        };
        world.request(request);
        is_left(world, Violation::OutOfPage);

        let mut world = World::new();
        world.send(0, 1000, TxFlags::MORE_DATA);
        world.request(request);
        is_left(world, Violation::OutOfPage);
    }
}

#[test]
fn pieces_longer_than_their_frame() {
    let mut world = World::new();
    world.send(0, 100, TxFlags::MORE_DATA);
    world.send(1, 101, TxFlags::empty());
    is_left(world, Violation::SizeMismatch);
}

#[test]
fn pieces_make_a_frame() {
    let mut world = World::new();
    world.send(1, 100, TxFlags::MORE_DATA);
    assert_eq!(world.receive(), None);
    world.link.flush();
    assert_eq!(world.answer(), None, "nothing is answered in advance");
    world.send(2, 30, TxFlags::MORE_DATA);
    world.send(3, 60, TxFlags::empty());
    let expected = [&[1; 10][..], &[2; 30], &[3; 60]].concat();
    assert_eq!(world.receive(), Some(expected));
    // All of the frame may be in the later pieces.
    world.send(4, 60, TxFlags::MORE_DATA);
    world.send(5, 60, TxFlags::empty());
    assert_eq!(world.receive(), Some(vec![5; 60]));
    world.end();
}

#[test]
fn a_frame_of_too_many_slots() {
    let mut world = World::new();
    world.send(0, 18, TxFlags::MORE_DATA);
    for id in 1..17 {
        world.send(id, 1, TxFlags::MORE_DATA);
    }
    world.send(17, 1, TxFlags::empty());
    assert_eq!(world.receive(), Some((0..18).collect()));
    for id in 0..19 {
        world.send(id, 1, TxFlags::MORE_DATA);
    }
    is_left(world, Violation::TooManySlots);
}

#[test]
fn extra_info_that_is_none() {
    for kind in [0, 5, 255] {
        let mut world = World::new();
        world.send(0, 60, TxFlags::EXTRA_INFO);
        world.extra([kind, 0, 0, 0, 0, 0, 0, 0]);
        is_left(world, Violation::UnknownExtra(kind));
    }

    let mut world = World::new();
    world.send(0, 60, TxFlags::EXTRA_INFO);
    for _ in 0..5 {
        world.extra(transmute!(ExtraInfo::hash(0, 0, 0).followed()));
    }
    is_left(world, Violation::TooManyExtras);

    let mut world = World::new();
    world.send(0, 60, TxFlags::MORE_DATA);
    world.send(1, 1, TxFlags::EXTRA_INFO);
    is_left(world, Violation::MisplacedExtra);
}

#[test]
fn extra_info_is_understood() {
    let mut world = World::new();
    world.send(0, 100, TxFlags::EXTRA_INFO | TxFlags::MORE_DATA);
    world.extra(transmute!(ExtraInfo::hash(1, 1, 9)));
    world.send(1, 40, TxFlags::empty());
    assert_eq!(world.receive(), Some([&[0; 60][..], &[1; 40]].concat()));
    world.send(2, 60, TxFlags::EXTRA_INFO);
    world.extra(transmute!(ExtraInfo::gso(1448, GsoProtocol::TcpV4)));
    world.send(3, 60, TxFlags::EXTRA_INFO);
    world.extra(transmute!(ExtraInfo::multicast_add(MacAddr([1; 6]))));
    world.send(4, 60, TxFlags::empty());
    assert_eq!(world.receive(), Some(vec![4; 60]));
    let stats = world.link.stats();
    assert_eq!((stats.in_not_large, stats.in_not_negotiated), (1, 1));
    world.link.flush();
    let statuses: Vec<_> = std::iter::from_fn(|| world.answer())
        .map(|(_, status)| status)
        .collect();
    let (okay, null, error) = (TxStatus::OKAY, TxStatus::NULL, TxStatus::ERROR);
    assert_eq!(statuses, [okay, null, okay, error, null, error, null, okay]);
    world.end();
}

#[test]
fn large_packets_that_are_none() {
    let mut odd: [u8; 8] = transmute!(ExtraInfo::gso(1448, GsoProtocol::TcpV4));
    odd[4] = 9;
    for slot in [odd, transmute!(ExtraInfo::gso(0, GsoProtocol::TcpV4))] {
        let mut world = World::new();
        world.send(0, 60, TxFlags::EXTRA_INFO);
        world.extra(slot);
        is_left(world, Violation::Segmentation);
    }
    // Longer than an ordinary frame, and no TCP.
    let mut world = World::new();
    world.send(0, 6000, TxFlags::EXTRA_INFO | TxFlags::MORE_DATA);
    world.extra(transmute!(ExtraInfo::gso(1448, GsoProtocol::TcpV6)));
    world.send(1, 3000, TxFlags::empty());
    assert_eq!(world.receive(), None);
    assert_eq!(world.link.stats().in_not_large, 1);
    world.end();
}

#[test]
fn unusable_frames_are_answered_with_an_error() {
    let mut world = World::new();
    world.send(0, 13, TxFlags::empty());
    world.send(1, 1519, TxFlags::empty());
    let foreign = world.target(0).number() + 500;
    for gref in [foreign, u32::MAX] {
        world.request(TxRequest {
            gref,
            offset: 0,
            flags: TxFlags::empty(),
            id: 2,
            size: 60,
        });
    }
    // One bad page spoils its whole frame.
    world.send(3, 100, TxFlags::MORE_DATA);
    world.request(TxRequest {
        gref: foreign,
        offset: 0,
        flags: TxFlags::empty(),
        id: 3,
        size: 60,
    });
    world.send(4, 1518, TxFlags::empty());
    assert_eq!(world.receive(), Some(vec![4; 1518]));
    assert_eq!(world.receive(), None);
    world.link.flush();
    let stats = world.link.stats();
    assert_eq!((stats.in_too_short, stats.in_too_long), (1, 1));
    assert_eq!((stats.in_bad_grant, stats.in_frames), (3, 1));
    for id in [0, 1, 2, 2, 3, 3] {
        assert_eq!(world.answer(), Some((id, TxStatus::ERROR)));
    }
    assert_eq!(world.answer(), Some((4, TxStatus::OKAY)));
    world.end();
}

#[test]
fn pages_that_cannot_be_written_are_answered_with_an_error() {
    let mut world = World::new();
    let read_only = world.source(0);
    world.offer(7, read_only);
    world.offer(8, GrantRef::new(u32::MAX));
    let page = world.target(3);
    world.offer(9, page);
    for byte in 1..=3 {
        assert!(world.deliver(&[byte; 60]));
    }
    world.link.flush();
    for id in [7, 8] {
        let response = world.rx.pop().unwrap().unwrap();
        assert_eq!((response.id, response.status), (id, -1));
    }
    let response = world.rx.pop().unwrap().unwrap();
    assert_eq!((response.id, response.status, response.offset), (9, 60, 0));
    assert_eq!(world.written(3, 60), [3; 60]);
    let stats = world.link.stats();
    assert_eq!((stats.out_bad_grant, stats.out_frames), (2, 1));
    world.end();
}

#[test]
fn frames_wait_for_pages_and_the_queue_has_an_end() {
    let config = Config {
        outbound_frames: 64,
        ..Config::default()
    };
    let mut world = World::with(&config);
    for byte in 0..64 {
        assert!(world.deliver(&[byte; 60]));
    }
    assert!(!world.deliver(&[99; 60]));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(world.link.poll_ready(&mut cx), Poll::Pending);
    for index in 0..3 {
        let page = world.target(index);
        world.offer(index as u16, page);
    }
    assert_eq!(
        world.link.poll_ready(&mut cx),
        Poll::Ready(()),
        "there is room again"
    );
    for index in 0..3 {
        assert_eq!(world.rx.pop().unwrap().unwrap().status, 60);
        assert_eq!(world.written(index, 60), [index as u8; 60]);
    }
    assert_eq!(world.link.stats().out_queued, 61);
    world.end();
}

#[test]
fn a_long_frame_gets_its_pages_all_at_once() {
    let mut world = World::with(&Config {
        mtu: 9000,
        ..Config::default()
    });
    let frame: Vec<u8> = (0..9014u32).map(|i| (i / 100) as u8).collect();
    assert!(world.deliver(&frame));
    for index in 0..3 {
        world.link.flush();
        assert!(world.rx.pop().unwrap().is_none());
        let page = world.target(index);
        world.offer(index as u16, page);
    }
    world.link.flush();
    let responses: Vec<_> = std::iter::from_fn(|| world.rx.pop().unwrap())
        .map(|response| (response.status, response.flags))
        .collect();
    let more = RxFlags::MORE_DATA;
    assert_eq!(
        responses,
        [(4096, more), (4096, more), (822, RxFlags::empty())]
    );
    let written: Vec<_> = (0..3)
        .flat_map(|index| world.written(index, 4096))
        .collect();
    assert_eq!(written[..9014], frame);
    world.end();
}

#[test]
fn a_pass_has_a_budget() {
    let mut world = World::new();
    for id in 0..200 {
        world.send(id, 60, TxFlags::empty());
    }
    for expected in [128, 72] {
        let received = std::iter::from_fn(|| world.receive()).count();
        assert_eq!(received, expected);
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(
            world.link.poll_ready(&mut cx).is_ready(),
            expected == 128,
            "what is left over is work"
        );
    }
    world.end();
}
