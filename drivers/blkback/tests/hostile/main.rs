//! Front ends that break the rules, or only come close.

mod persistent;
mod replay;
mod script;
mod support;

use std::task::{Context, Poll, Waker};

use morgana_blkback::{Config, Violation, Writes};
use morgana_blkif::{DiscardFlags, DiscardRequest, IndirectRequest, Operation, Segment, Status};
use morgana_block::RamDisk;
use morgana_hal::{PAGE_SIZE, Pages};
use morgana_ring::RingError;
use support::{REQ_PROD, SECTORS, World};
use zerocopy::IntoBytes;

/// The back end must meet this violation when it looks, be inert from then on, and leave nothing behind.
fn is_left(mut world: World, violation: Violation) {
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(world.link.poll(&mut cx), Poll::Ready(violation));
    assert_eq!(world.link.violation(), Some(violation));
    assert_eq!(world.link.stats().violations, 1);
    let good = world.request(Operation::READ, 0, &[world.page(0)]);
    world.push(good);
    assert_eq!(world.link.poll(&mut cx), Poll::Ready(violation));
    assert_eq!(world.link.stats().reads, 0);
    world.end();
}

#[test]
fn impossible_indices() {
    let world = World::new();
    world.region().store_u32(REQ_PROD, 1000);
    is_left(world, Violation::Ring(RingError::TooManyRequests));

    let world = World::new();
    world.region().store_u32(REQ_PROD, u32::MAX - 8);
    is_left(world, Violation::Ring(RingError::RequestsWentBack));
}

#[test]
fn segments_that_leave_their_page_or_end_before_they_begin() {
    for (first, last) in [(0, 8), (1, 0), (7, 6), (8, 8), (255, 255), (0, 255)] {
        let mut world = World::new();
        let segment = Segment {
            first_sect: first,
            last_sect: last,
            ..world.page(0)
        };
        let request = world.request(Operation::WRITE, 0, &[world.page(1), segment]);
        world.push(request);
        is_left(world, Violation::Segment { first, last });
    }
}

#[test]
fn more_segments_than_there_are() {
    for count in [12, 255] {
        let mut world = World::new();
        let mut request = world.request(Operation::READ, 0, &[]);
        request.nr_segments = count;
        world.push(request);
        is_left(world, Violation::TooManySegments(count.into()));
    }
    for count in [257, 4096, u16::MAX] {
        let mut world = World::new();
        let request = indirect(&world, Operation::READ, count);
        world.push(request);
        is_left(world, Violation::TooManySegments(count));
    }
}

#[test]
fn an_indirect_request_for_anything_else() {
    for operation in [Operation::INDIRECT, Operation::DISCARD, Operation(77)] {
        let mut world = World::new();
        let request = indirect(&world, operation, 1);
        world.push(request);
        is_left(world, Violation::IndirectOperation(operation.0));
    }
}

/// An indirect request whose segments are in page 0.
fn indirect(world: &World, operation: Operation, count: u16) -> IndirectRequest {
    IndirectRequest {
        operation: Operation::INDIRECT,
        indirect_op: operation,
        nr_segments: count,
        id: 9,
        indirect_grefs: [world.gref(0); 8],
        ..IndirectRequest::default()
    }
}

#[test]
fn what_is_written_is_read() {
    let mut world = World::new();
    for page in 1..=12 {
        world.set(page, page as u8);
    }
    // Twelve pages in one request, whose list is in page 0; then two pieces of them in another order.
    let segments: Vec<Segment> = (1..=8).map(|page| world.page(page)).collect();
    world.data.region().write(0, segments.as_bytes());
    let write = indirect(&world, Operation::WRITE, 8);
    assert_eq!(world.ask(write), Status::OKAY);
    let pieces = [
        Segment {
            first_sect: 1,
            last_sect: 1,
            ..world.page(14)
        },
        Segment {
            first_sect: 7,
            last_sect: 7,
            ..world.page(15)
        },
    ];
    let read = world.request(Operation::READ, 15, &pieces);
    assert_eq!(world.ask(read), Status::OKAY);
    assert_eq!(world.bytes(14)[512..1024], [2; 512]);
    assert_eq!(world.bytes(14)[1024..], [0; 3072]);
    assert_eq!(world.bytes(15)[3584..], [3; 512]);
    let flush = world.request(Operation::FLUSH_DISKCACHE, 0, &[]);
    assert_eq!(world.ask(flush), Status::OKAY);
    let stats = world.link.stats();
    assert_eq!((stats.writes, stats.reads, stats.flushes), (1, 1, 1));
    assert_eq!((stats.written_bytes, stats.read_bytes), (8 * 4096, 1024));
    assert_eq!(stats.indirect, 1);
    world.end();
}

#[test]
fn what_leaves_the_disk_or_is_nothing_is_refused() {
    let mut world = World::new();
    let page = world.page(0);
    for (sector, segments) in [
        (SECTORS, &[page][..]),
        (SECTORS - 7, &[page]),
        (u64::MAX, &[page]),
        (u64::MAX - 7, &[page]),
        (0, &[]),
    ] {
        for operation in [Operation::READ, Operation::WRITE] {
            let request = world.request(operation, sector, segments);
            assert_eq!(world.ask(request), Status::ERROR);
        }
    }
    let discard = DiscardRequest {
        operation: Operation::DISCARD,
        id: 5,
        sector_number: 1,
        nr_sectors: u64::MAX,
        ..DiscardRequest::default()
    };
    assert_eq!(world.ask(discard), Status::ERROR);
    assert_eq!(world.link.stats().refused, 11);
    let good = world.request(Operation::READ, SECTORS - 8, &[page]);
    assert_eq!(world.ask(good), Status::OKAY);
    world.end();
}

#[test]
fn pieces_of_large_sectors_are_refused() {
    let disk = RamDisk::new(4096, 8).unwrap();
    let mut world = World::with(disk, &Config::default());
    let half = Segment {
        last_sect: 3,
        ..world.page(0)
    };
    for (sector, segments) in [(0, &[half][..]), (4, &[world.page(0)])] {
        let request = world.request(Operation::READ, sector, segments);
        assert_eq!(world.ask(request), Status::ERROR);
    }
    let both = world.request(Operation::READ, 8, &[half, half]);
    assert_eq!(world.ask(both), Status::OKAY);
    world.end();
}

#[test]
fn grants_that_are_none_cost_the_request() {
    let mut world = World::new();
    let bad = Segment {
        gref: 900,
        ..world.page(0)
    };
    for operation in [Operation::READ, Operation::WRITE] {
        let request = world.request(operation, 0, &[world.page(0), bad]);
        assert_eq!(world.ask(request), Status::ERROR);
    }
    let mut list = indirect(&world, Operation::READ, 3);
    list.indirect_grefs[0] = 901;
    assert_eq!(world.ask(list), Status::ERROR);
    assert_eq!(world.link.stats().bad_grants, 3);
    let good = world.request(Operation::READ, 0, &[world.page(0)]);
    assert_eq!(world.ask(good), Status::OKAY);
    world.end();
}

#[test]
fn what_is_not_offered_is_not_supported() {
    let mut world = World::new();
    for operation in [Operation::WRITE_BARRIER, Operation(4), Operation(255)] {
        let request = world.request(operation, 0, &[world.page(0)]);
        assert_eq!(world.ask(request), Status::NOT_SUPPORTED);
    }
    let flush = world.request(Operation::FLUSH_DISKCACHE, 0, &[world.page(0)]);
    assert_eq!(world.ask(flush), Status::NOT_SUPPORTED);
    world.end();
}

#[test]
fn a_disk_that_may_only_be_read() {
    let config = Config {
        writes: Writes::Refused,
        ..Config::default()
    };
    let mut world = World::with(RamDisk::new(512, SECTORS).unwrap(), &config);
    let write = world.request(Operation::WRITE, 0, &[world.page(0)]);
    assert_eq!(world.ask(write), Status::ERROR);
    let discard = DiscardRequest {
        operation: Operation::DISCARD,
        flag: DiscardFlags::SECURE,
        nr_sectors: 1,
        ..DiscardRequest::default()
    };
    assert_eq!(world.ask(discard), Status::ERROR);
    let read = world.request(Operation::READ, 0, &[world.page(0)]);
    assert_eq!(world.ask(read), Status::OKAY);
    assert_eq!(world.link.stats().refused, 2);
    world.end();
}

#[test]
fn what_is_written_later_changes_nothing_that_was_written() {
    let mut world = World::new();
    world.set(0, 1);
    let write = world.request(Operation::WRITE, 0, &[world.page(0)]);
    assert_eq!(world.ask(write), Status::OKAY);
    world.set(0, 2);
    let read = world.request(Operation::READ, 0, &[world.page(1)]);
    assert_eq!(world.ask(read), Status::OKAY);
    assert_eq!(world.bytes(1), vec![1; PAGE_SIZE]);
    world.end();
}
