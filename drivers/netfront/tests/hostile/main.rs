//! Back ends that break the rules, or only come close.

mod replay;
mod script;
mod support;

use std::task::{Context, Poll, Waker};

use morgana_netfront::{Config, RxChecksum, Segmentation, TxChecksum, TxMeta, Violation};
use morgana_netif::{ExtraInfo, GsoProtocol, MacAddr, RxFlags, TxStatus};
use morgana_ring::{RingError, SlotError};
use support::{RSP_PROD, World};
use zerocopy::transmute;

/// The front end must meet this violation when it looks, be inert from then on, and leave nothing behind.
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
    world.tx_region().store_u32(RSP_PROD, 1);
    is_left(world, Violation::TransmitRing(RingError::TooManyResponses));

    let mut world = World::new();
    world.send(&[1; 60]);
    let request = world.take().0;
    world.answer(request.id, TxStatus::OKAY);
    world.link.flush();
    world.tx_region().store_u32(RSP_PROD, 0);
    is_left(world, Violation::TransmitRing(RingError::ResponsesWentBack));

    let world = World::new();
    world.rx_region().store_u32(RSP_PROD, 65);
    is_left(world, Violation::ReceiveRing(RingError::TooManyResponses));

    let world = World::new();
    world.rx_region().store_u32(RSP_PROD, u32::MAX);
    is_left(world, Violation::ReceiveRing(RingError::ResponsesWentBack));
}

#[test]
fn transmit_responses_that_answer_nothing() {
    for (id, error) in [(0x00ff, SlotError::Stale), (0xffff, SlotError::Stale)] {
        let mut world = World::new();
        world.send(&[1; 60]);
        world.take();
        world.answer(id, TxStatus::OKAY);
        is_left(world, Violation::TransmitId(error));
    }

    let mut world = World::new();
    world.send(&[1; 60]);
    world.send(&[2; 60]);
    let (first, second) = (world.take().0, world.take().0);
    assert_ne!(first.id, second.id);
    world.answer(first.id, TxStatus::OKAY);
    world.answer(first.id, TxStatus::OKAY);
    is_left(world, Violation::TransmitId(SlotError::Stale));
}

#[test]
fn transmit_responses_with_a_status_that_is_none() {
    for status in [
        TxStatus::NULL,
        TxStatus(2),
        TxStatus(-3),
        TxStatus(i16::MIN),
    ] {
        let mut world = World::new();
        world.send(&[1; 60]);
        let request = world.take().0;
        world.answer(request.id, status);
        is_left(world, Violation::TransmitStatus(status.0));
    }
}

#[test]
fn transmit_errors_are_counted() {
    let mut world = World::new();
    for status in [TxStatus::DROPPED, TxStatus::ERROR, TxStatus::OKAY] {
        world.send(&[7; 60]);
        let (request, bytes) = world.take();
        assert_eq!(bytes, [7; 60]);
        world.answer(request.id, status);
    }
    world.link.flush();
    let stats = world.link.stats();
    assert_eq!((stats.tx_dropped, stats.tx_errors), (1, 1));
    assert_eq!((stats.tx_frames, stats.tx_in_flight), (3, 0));
    world.end();
}

#[test]
fn a_back_end_that_never_answers_costs_the_pool_and_no_more() {
    let mut world = World::new();
    let mut sent = 0;
    while world.link.transmit().is_some() {
        world.send(&[1; 60]);
        sent += 1;
    }
    for _ in 0..10 {
        assert!(world.link.transmit().is_none());
    }
    // What is free is less than a large frame needs.
    let stats = world.link.stats();
    assert_eq!(stats.tx_in_flight, sent);
    assert!(stats.tx_buffers - sent < 32);
    world.end();
}

#[test]
fn receive_responses_in_the_wrong_place() {
    let mut world = World::new();
    world.lie(|response| response.id ^= 1);
    is_left(world, Violation::ReceiveId);
}

#[test]
fn receive_data_outside_of_the_page() {
    for (offset, status) in [(4096, 1), (0, 4097), (4095, 2), (u16::MAX, i16::MAX)] {
        let mut world = World::new();
        world.lie(|response| {
            response.offset = offset;
            response.status = status;
        });
        is_left(world, Violation::ReceiveOutOfPage);
    }
    let mut world = World::new();
    world.put_at(4036, &[5; 60], RxFlags::empty());
    assert_eq!(world.receive().as_deref(), Some(&[5; 60][..]));
    world.end();
}

#[test]
fn a_frame_of_too_many_slots() {
    let mut world = World::new();
    for _ in 0..17 {
        world.put(&[1], RxFlags::MORE_DATA);
    }
    assert_eq!(world.receive(), None);
    world.put(&[1], RxFlags::empty());
    assert_eq!(world.receive().as_deref(), Some(&[1; 18][..]));
    for _ in 0..19 {
        world.put(&[1], RxFlags::MORE_DATA);
    }
    is_left(world, Violation::TooManySlots);
}

#[test]
fn a_frame_without_end_is_no_longer_than_the_ring_is_patient() {
    let mut world = World::new();
    world.put(&[1; 4096], RxFlags::MORE_DATA);
    assert_eq!(world.receive(), None);
    world.put(&[1; 4096], RxFlags::empty());
    world.put(&[2; 60], RxFlags::empty());
    assert_eq!(world.receive().as_deref(), Some(&[2; 60][..]));
    assert_eq!(world.link.stats().rx_too_long, 1);
    world.end();
}

#[test]
fn extra_info_that_is_none() {
    let extra = |kind| [kind, 0, 0, 0, 0, 0, 0, 0];
    for kind in [0, 5, 255] {
        let mut world = World::new();
        world.put(&[1; 60], RxFlags::EXTRA_INFO);
        world.put_slot(extra(kind));
        is_left(world, Violation::UnknownExtra(kind));
    }

    let mut world = World::new();
    world.put(&[1; 60], RxFlags::EXTRA_INFO);
    for _ in 0..5 {
        world.put_slot(transmute!(ExtraInfo::hash(0, 0, 0).followed()));
    }
    is_left(world, Violation::TooManyExtras);

    let mut world = World::new();
    world.put(&[1; 60], RxFlags::MORE_DATA);
    world.put(&[1; 60], RxFlags::EXTRA_INFO);
    is_left(world, Violation::MisplacedExtra);
}

#[test]
fn extra_info_is_understood() {
    let mut world = World::new();
    // A hash does not matter; data follows it.
    world.put(&[1; 60], RxFlags::EXTRA_INFO | RxFlags::MORE_DATA);
    world.put_slot(transmute!(ExtraInfo::hash(1, 1, 9)));
    world.put(&[1; 40], RxFlags::empty());
    assert_eq!(world.receive().as_deref(), Some(&[1; 100][..]));
    // Multicast control was not asked for, nor the old way to tell of large packets.
    world.put(&[2; 60], RxFlags::EXTRA_INFO);
    world.put_slot(transmute!(ExtraInfo::multicast_add(MacAddr([3; 6]))));
    world.put(&[3; 60], RxFlags::GSO_PREFIX);
    world.put(&[4; 60], RxFlags::empty());
    assert_eq!(world.receive().as_deref(), Some(&[4; 60][..]));
    assert_eq!(world.link.stats().rx_not_negotiated, 2);
    world.end();
}

#[test]
fn large_packets_that_are_none() {
    let mut world = World::new();
    // No TCP, too long for an ordinary frame, and no size that a sender uses.
    for (bytes, size) in [(&[2; 60][..], 1448), (&[2; 3000], 1448), (&[2; 60], 1)] {
        world.put(bytes, RxFlags::EXTRA_INFO);
        world.put_slot(transmute!(ExtraInfo::gso(size, GsoProtocol::TcpV4)));
    }
    world.put(&[4; 60], RxFlags::empty());
    assert_eq!(world.receive().as_deref(), Some(&[4; 60][..]));
    assert_eq!(world.link.stats().rx_not_large, 3);
    world.end();

    let mut odd: [u8; 8] = transmute!(ExtraInfo::gso(1448, GsoProtocol::TcpV4));
    odd[4] = 9;
    for slot in [odd, transmute!(ExtraInfo::gso(0, GsoProtocol::TcpV4))] {
        let mut world = World::new();
        world.put(&[1; 60], RxFlags::EXTRA_INFO);
        world.put_slot(slot);
        is_left(world, Violation::Segmentation);
    }
}

#[test]
fn a_large_frame_is_no_longer_than_the_protocol_says() {
    let mut world = World::new();
    for index in 0..18 {
        let first = if index == 0 {
            RxFlags::EXTRA_INFO
        } else {
            RxFlags::empty()
        };
        let more = if index < 17 {
            RxFlags::MORE_DATA
        } else {
            RxFlags::empty()
        };
        world.put(&[1; 4096], first | more);
        if index == 0 {
            world.put_slot(transmute!(ExtraInfo::gso(1448, GsoProtocol::TcpV4)));
        }
    }
    assert_eq!(world.receive(), None);
    assert_eq!(world.link.stats().rx_too_long, 1);
    world.end();
}

/// A large TCP packet over IPv4 with a payload of sevens.
fn large(payload: usize) -> Vec<u8> {
    let length = (40 + payload) as u16;
    let mut frame = vec![2; 12];
    frame.extend([0x08, 0x00, 0x45, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    frame.extend([
        0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0,
    ]);
    frame.resize(frame.len() + payload, 7);
    frame
}

#[test]
fn extra_info_is_answered_once_for_each_that_was_sent() {
    let segmentation = Segmentation {
        kind: GsoProtocol::TcpV4,
        size: 1448.try_into().unwrap(),
    };
    let mut world = World::new();
    let frame = large(20_000);
    let slot = world.link.transmit().unwrap();
    slot.send(frame.len(), |into| {
        into.copy_from_slice(&frame);
        TxMeta {
            checksum: TxChecksum::Blank,
            segmentation: Some(segmentation),
        }
    });
    world.link.flush();
    // Five pages, and a slot that says that it is a large one.
    for index in 0..6 {
        let request = world.tx.pop().unwrap().expect("a request");
        if index == 1 {
            world.answer(7, TxStatus::NULL);
        } else {
            world.answer(request.id, TxStatus::OKAY);
        }
    }
    assert!(world.tx.pop().unwrap().is_none());
    world.link.flush();
    let stats = world.link.stats();
    assert_eq!((stats.tx_large, stats.tx_in_flight), (1, 0));
    world.send(&[1; 60]);
    world.take();
    world.answer(7, TxStatus::NULL);
    is_left(world, Violation::TransmitStatus(1));
}

#[test]
fn unusable_frames_are_counted() {
    let mut world = World::new();
    world.put(&[1; 13], RxFlags::empty());
    world.lie(|response| response.status = -1);
    world.lie(|response| response.status = i16::MIN);
    world.lie(|_| {});
    world.put(&[1; 1519], RxFlags::empty());
    world.put(&[2; 1518], RxFlags::empty());
    assert_eq!(world.receive().as_deref(), Some(&[2; 1518][..]));
    assert_eq!(world.receive(), None);
    let stats = world.link.stats();
    assert_eq!((stats.rx_too_short, stats.rx_errors), (2, 2));
    assert_eq!((stats.rx_too_long, stats.rx_frames), (1, 1));
    world.end();
}

#[test]
fn flags_tell_of_checksums() {
    let mut world = World::new();
    for (flags, checksum) in [
        (RxFlags::empty(), RxChecksum::Unverified),
        (RxFlags::DATA_VALIDATED, RxChecksum::Validated),
        (RxFlags::CHECKSUM_BLANK, RxChecksum::Blank),
        (
            RxFlags::CHECKSUM_BLANK | RxFlags::DATA_VALIDATED,
            RxChecksum::Blank,
        ),
    ] {
        world.put(&[1; 60], flags);
        assert_eq!(world.link.receive().unwrap().meta().checksum, checksum);
    }
    world.end();
}

#[test]
fn a_pass_has_a_budget() {
    let config = Config {
        receive_pages: 256,
        ..Config::default()
    };
    let mut world = World::with(&config, 1500);
    for _ in 0..200 {
        world.put(&[1; 60], RxFlags::empty());
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

#[test]
fn what_the_peer_writes_later_changes_nothing_that_was_received() {
    let mut world = World::new();
    world.put(&[1; 60], RxFlags::empty());
    let mut frame = world.link.receive().unwrap();
    // The same page is offered again only after a flush, and is another memory than the frame's.
    assert_eq!(frame.bytes(), [1; 60]);
    frame.bytes().fill(9);
    for _ in 0..63 {
        world.put(&[3; 60], RxFlags::empty());
        assert_eq!(world.receive().as_deref(), Some(&[3; 60][..]));
    }
    world.end();
}
