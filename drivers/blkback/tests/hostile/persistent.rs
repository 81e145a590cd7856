//! Front ends that say that their pages are the same again and again, and what they make of that.

use morgana_blkback::{Config, Grants, Writes};
use morgana_blkif::{Operation, Segment, Status};
use morgana_block::RamDisk;
use morgana_hal::{PAGE_SIZE, ReadOnlyPages};

use crate::support::{DATA_PAGES, SECTORS, World};

/// How many pages are mapped, and how many have been so far.
fn kept(world: &World) -> (usize, u64) {
    let stats = world.link.stats();
    (stats.persistent_pages, stats.persistent_maps)
}

fn ask(world: &mut World, operation: Operation, segment: Segment) -> Status {
    let request = world.request(operation, 0, &[segment]);
    world.ask(request)
}

#[test]
fn a_page_is_mapped_once_and_used_again_and_again() {
    let mut world = World::granting(Grants::Persistent);
    for round in 0..50 {
        world.set(0, round);
        let (from, to) = (world.page(0), world.page(1));
        assert_eq!(ask(&mut world, Operation::WRITE, from), Status::OKAY);
        assert_eq!(ask(&mut world, Operation::READ, to), Status::OKAY);
        assert_eq!(world.bytes(1), [round; PAGE_SIZE]);
    }
    assert_eq!(kept(&world), (2, 2));
    world.end();
}

#[test]
fn without_the_promise_nothing_stays_mapped() {
    let mut world = World::granting(Grants::Passing);
    let page = world.page(0);
    assert_eq!(ask(&mut world, Operation::WRITE, page), Status::OKAY);
    assert_eq!(kept(&world), (0, 0));
    let mut world = {
        world.end();
        World::keeping(0)
    };
    let page = world.page(0);
    assert_eq!(ask(&mut world, Operation::WRITE, page), Status::OKAY);
    assert_eq!(kept(&world), (0, 0));
    world.end();
}

#[test]
fn what_does_not_fit_is_copied() {
    let mut world = World::keeping(4);
    for page in 0..DATA_PAGES {
        world.set(page, page as u8);
        let request = world.request(Operation::WRITE, 8 * (page as u64 % 8), &[world.page(page)]);
        assert_eq!(world.ask(request), Status::OKAY);
    }
    assert_eq!(kept(&world), (4, 4));
    for page in 0..4 {
        let sector = 8 * page as u64;
        let request = world.request(Operation::READ, sector, &[world.page(DATA_PAGES - 1)]);
        assert_eq!(world.ask(request), Status::OKAY);
        assert_eq!(world.bytes(DATA_PAGES - 1), [8 + page; PAGE_SIZE]);
    }
    world.end();
}

#[test]
fn what_was_not_used_for_long_gives_way() {
    let mut world = World::keeping(4);
    let mut read = |page: usize| {
        let segment = world.page(page);
        assert_eq!(ask(&mut world, Operation::READ, segment), Status::OKAY);
        kept(&world)
    };
    for page in 0..4 {
        read(page);
    }
    // Two of them stay in use, beside two others, which are copied as long as the old ones may be wanted.
    let mut rounds = (0..12).map(|_| [0, 1, 14, 15].map(&mut read));
    assert_eq!(rounds.next(), Some([(4, 4); 4]));
    assert_eq!(rounds.last(), Some([(4, 6); 4]));
    // Going round more pages than there is room for does not have them mapped all the time.
    for page in (0..12).cycle().take(240) {
        read(page);
    }
    let (now, so_far) = read(0);
    assert!(now <= 4 && so_far < 70, "{so_far} of 240 were mapped");
    world.end();
}

#[test]
fn what_is_only_to_be_read_can_be_written_to_the_disk_and_not_read_from_it() {
    let mut world = World::granting(Grants::Persistent);
    let page = world.read_only();
    let segment = Segment {
        gref: page.grants()[0].number(),
        ..world.page(0)
    };
    assert_eq!(ask(&mut world, Operation::WRITE, segment), Status::OKAY);
    assert_eq!(ask(&mut world, Operation::READ, segment), Status::ERROR);
    assert_eq!(kept(&world), (0, 0));
    assert_eq!(world.link.stats().bad_grants, 1);
    drop(page);
    // The reference now is that of a page that may be written, and in time it is one that stays mapped.
    world.grant_anew();
    let again = (0..DATA_PAGES).find(|&page| world.gref(page) == segment.gref);
    let segment =
        world.page(again.expect("the last reference to end is the first to be used again"));
    for _ in 0..100 {
        assert_eq!(ask(&mut world, Operation::READ, segment), Status::OKAY);
    }
    assert_eq!(kept(&world), (1, 1));
    world.end();
}

#[test]
fn pages_that_cannot_be_mapped_are_not_tried_each_time() {
    let mut world = World::granting(Grants::Persistent);
    let bad = Segment {
        gref: 900,
        ..world.page(0)
    };
    assert_eq!(ask(&mut world, Operation::READ, bad), Status::ERROR);
    let good = world.page(1);
    assert_eq!(ask(&mut world, Operation::READ, good), Status::OKAY);
    assert_eq!(kept(&world), (0, 0), "it is copied for a while");
    for _ in 0..100 {
        assert_eq!(ask(&mut world, Operation::READ, good), Status::OKAY);
    }
    assert_eq!(kept(&world), (1, 1));
    world.end();
}

#[test]
fn access_that_is_ended_while_the_page_is_mapped_spoils_only_the_front_ends_data() {
    let mut world = World::granting(Grants::Persistent);
    world.set(0, 1);
    let old = world.page(0);
    assert_eq!(ask(&mut world, Operation::WRITE, old), Status::OKAY);
    world.grant_anew();
    assert_eq!(
        world.quarantined(),
        1,
        "the back end still maps the old page"
    );
    // The old reference still means the old page, and no other page changes.
    assert_eq!(ask(&mut world, Operation::READ, old), Status::OKAY);
    for page in 0..DATA_PAGES {
        assert_eq!(world.bytes(page), [0; PAGE_SIZE]);
    }
    let new = world.page(0);
    assert_eq!(ask(&mut world, Operation::READ, new), Status::OKAY);
    assert_eq!(world.bytes(0), [1; PAGE_SIZE]);
    world.end();
}

#[test]
fn a_disk_that_may_only_be_read_keeps_pages_too() {
    let config = Config {
        writes: Writes::Refused,
        ..Config::default()
    };
    let disk = RamDisk::new(512, SECTORS).unwrap();
    let mut world = World::made(disk, Grants::Persistent, &config);
    let page = world.page(0);
    assert_eq!(ask(&mut world, Operation::WRITE, page), Status::ERROR);
    assert_eq!(kept(&world), (0, 0), "what is refused is not even mapped");
    for _ in 0..3 {
        assert_eq!(ask(&mut world, Operation::READ, page), Status::OKAY);
    }
    assert_eq!(kept(&world), (1, 1));
    world.end();
}
