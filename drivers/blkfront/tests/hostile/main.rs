//! Back ends that break the rules, or only come close.

mod replay;
mod script;
mod support;

use std::task::{Context, Poll, Waker};

use morgana_blkfront::{BlockError, Config, Limits, Request, Violation};
use morgana_blkif::{Operation, Status};
use morgana_ring::{RingError, SlotError};
use support::{RSP_PROD, World};

/// The front end must meet this violation when it looks, be inert from then on, and leave nothing behind.
fn is_left(mut world: World, violation: Violation) {
    world.pass();
    assert_eq!(world.link.violation(), Some(violation));
    assert_eq!(world.link.stats().violations, 1);
    let mut cx = Context::from_waker(Waker::noop());
    let World { link, table, .. } = &mut world;
    assert_eq!(link.poll(&mut cx, table), Poll::Ready(violation));
    world.end();
}

#[test]
fn impossible_indices() {
    let world = World::new();
    world.region().store_u32(RSP_PROD, 1);
    is_left(world, Violation::Ring(RingError::TooManyResponses));

    let mut world = World::new();
    let (_, request) = world.asked();
    world.answer(request.id(), Status::OKAY);
    world.pass();
    world.region().store_u32(RSP_PROD, 0);
    is_left(world, Violation::Ring(RingError::ResponsesWentBack));
}

#[test]
fn responses_that_answer_nothing() {
    for (id, error) in [
        (0x00ff, SlotError::Stale),
        (0xffff, SlotError::Stale),
        (0x1_0000, SlotError::Unknown),
        (u64::MAX, SlotError::Unknown),
    ] {
        let mut world = World::new();
        world.asked();
        world.answer(id, Status::OKAY);
        is_left(world, Violation::Id(error));
    }

    let mut world = World::new();
    let (first, second) = (world.asked().1, world.asked().1);
    assert_ne!(first.id(), second.id());
    world.answer(first.id(), Status::OKAY);
    world.answer(first.id(), Status::OKAY);
    is_left(world, Violation::Unasked);
}

#[test]
fn a_second_answer_to_what_was_taken_is_stale() {
    let mut world = World::new();
    let (ticket, first) = world.asked();
    world.answer(first.id(), Status::OKAY);
    world.pass();
    world.link.collect(&mut world.table, ticket, &mut [0; 512]);
    world.asked();
    world.answer(first.id(), Status::OKAY);
    is_left(world, Violation::Id(SlotError::Stale));
}

#[test]
fn responses_with_a_status_that_is_none() {
    for status in [1, -3, i16::MIN, i16::MAX] {
        let mut world = World::new();
        let (_, request) = world.asked();
        world.answer(request.id(), Status(status));
        is_left(world, Violation::Status(status));
    }
}

#[test]
fn errors_are_outcomes() {
    let mut world = World::new();
    for (status, outcome) in [
        (Status::ERROR, Err(BlockError::Io)),
        (Status::NOT_SUPPORTED, Err(BlockError::Unsupported)),
        (Status::OKAY, Ok(())),
    ] {
        let (ticket, request) = world.asked();
        assert_eq!(world.table.outcome(ticket), None);
        world.answer(request.id(), status);
        world.pass();
        assert_eq!(world.table.outcome(ticket), Some(outcome));
        world.link.collect(&mut world.table, ticket, &mut [0; 512]);
        assert_eq!(world.table.outcome(ticket), None);
    }
    assert_eq!(
        (world.link.stats().reads, world.link.stats().errors),
        (1, 2)
    );
    world.end();
}

#[test]
fn a_back_end_that_never_answers_costs_the_table_and_no_more() {
    let mut world = World::new();
    let request = Request::Read {
        sector: 0,
        bytes: 512,
    };
    let tickets: Vec<_> = std::iter::from_fn(|| world.submit(&request)).collect();
    assert_eq!(tickets.len(), 32);
    for _ in 0..10 {
        world.pass();
        assert_eq!(world.submit(&request), None);
    }
    // Its users leave, and the requests are still the back end's.
    for ticket in tickets {
        world.table.detach(ticket);
    }
    assert_eq!(world.table.len(), 32);
    while let Some(request) = world.ring.pop().unwrap() {
        world.answer(request.id(), Status::OKAY);
    }
    world.pass();
    assert!(world.table.is_empty());
    assert_eq!(world.link.stats().detached, 32);
    world.end();
}

#[test]
fn what_is_asked_is_what_was_meant() {
    let mut world = World::new();
    // 16 segments in one indirect request, the last of them short.
    let data: Vec<u8> = (0..15 * 4096 + 1024u32).map(|byte| byte as u8).collect();
    let write = Request::Write {
        sector: 77,
        data: &data,
    };
    world.submit(&write).unwrap();
    world.submit(&Request::Flush).unwrap();
    world.pass();
    let request = world.ring.pop().unwrap().unwrap();
    assert_eq!(request.operation, Operation::INDIRECT);
    assert_eq!(request.indirect().indirect_op, Operation::WRITE);
    assert_eq!(request.indirect().sector_number, 77);
    let segments = world.segments(&request);
    assert_eq!((segments.len(), segments[15].last_sect), (16, 1));
    assert_eq!(world.fetch(&segments), data);
    let flush = world.ring.pop().unwrap().unwrap();
    assert_eq!(flush.operation, Operation::FLUSH_DISKCACHE);
    // Too much for one request, and nothing.
    let data = vec![0; 17 * 4096];
    for data in [&data[..], &data[..0], &data[..100]] {
        assert_eq!(world.submit(&Request::Write { sector: 0, data }), None);
    }
    world.end();
}

#[test]
fn without_a_page_for_segments_more_requests_are_sent() {
    let config = Config {
        pool_pages: 64,
        segments: 16,
        ..Config::default()
    };
    let limits = Limits {
        segments: 16,
        ..Limits::LEAST
    };
    // The indices wrap around meanwhile.
    let mut world = World::with(&config, limits, u32::MAX - 3);
    let mut tickets = Vec::new();
    for sector in 0..4 {
        let bytes = 16 * 4096;
        tickets.push(world.submit(&Request::Read { sector, bytes }).unwrap());
    }
    world.pass();
    let mut seen = 0;
    while let Some(request) = world.ring.pop().unwrap() {
        assert_eq!(request.operation, Operation::READ);
        let segments = world.segments(&request);
        world.fill(&segments, &vec![seen; segments.len() * 4096]);
        world.answer(request.id(), Status::OKAY);
        seen += 1;
    }
    assert_eq!(seen, 8, "11 and 5 segments each");
    world.pass();
    for (number, ticket) in (0..4).zip(tickets) {
        assert_eq!(world.table.outcome(ticket), Some(Ok(())));
        let mut into = vec![0xff; 16 * 4096];
        world.link.collect(&mut world.table, ticket, &mut into);
        assert!(into[..11 * 4096].iter().all(|&byte| byte == 2 * number));
        assert!(into[11 * 4096..].iter().all(|&byte| byte == 2 * number + 1));
    }
    world.end();
}
