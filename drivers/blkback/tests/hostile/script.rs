//! A front end that writes anything anywhere it can, at any time, and a back end that goes on with its work.
//!
//! What happens is told by bytes, so that a fuzzer can search among them; each step is a byte for its kind and some for its
//! details, and missing ones are zero.

use morgana_blkback::Grants;
use morgana_blkif::{
    DiscardFlags, DiscardRequest, ENTRY_SIZE, IndirectRequest, Operation, RawRequest, Segment,
};
use morgana_hal::{PAGE_SIZE, Pages};
use zerocopy::{FromBytes, IntoBytes};

use crate::support::{DATA_PAGES, World};

/// Steps in one script: more only make a fuzzer slow.
const MAX_STEPS: usize = 256;

/// Plays a script, with and without persistent grants. Fails if the back end panics, does more than its limits allow, or leaves something behind.
pub(crate) fn play(script: &[u8]) {
    for grants in [Grants::Passing, Grants::Persistent] {
        play_in(World::granting(grants), script);
    }
}

fn play_in(mut world: World, script: &[u8]) {
    let mut script = Script(script);
    for _ in 0..MAX_STEPS {
        let Some(kind) = script.next() else {
            break;
        };
        step(&mut world, kind, &mut script);
        let stats = world.link.stats();
        assert!(stats.in_flight <= 64 && stats.buffered_bytes <= (2 << 20) + (1 << 20));
        assert_eq!(
            stats.violations,
            u64::from(world.link.violation().is_some())
        );
    }
    world.end();
}

fn step(world: &mut World, kind: u8, script: &mut Script<'_>) {
    match kind % 16 {
        // A read or write, mostly as it should be.
        0..=3 => {
            let count = usize::from(script.byte()) % 12;
            let sector = u64::from(script.byte()) % 80;
            let segments: Vec<Segment> =
                (0..count.min(11)).map(|_| segment(world, script)).collect();
            let operation = if kind & 1 == 0 {
                Operation::READ
            } else {
                Operation::WRITE
            };
            let mut request = world.request(operation, sector, &segments);
            request.nr_segments = count as u8;
            request.id = script.byte().into();
            world.push(request);
        }
        4 => {
            let operation = Operation(script.byte());
            let mut request = world.request(operation, u64::from(script.u16()), &[]);
            request.nr_segments = script.byte() % 4;
            world.push(request);
        }
        5 => world.push(DiscardRequest {
            operation: Operation::DISCARD,
            flag: DiscardFlags::from_bits_retain(script.byte()),
            sector_number: u64::from_le_bytes(script.array()),
            nr_sectors: script.u16().into(),
            ..DiscardRequest::default()
        }),
        // An indirect request, whose segments are in a page that was filled before, or not.
        6..=7 => {
            let page = usize::from(script.byte());
            let count = script.u16() % 600;
            let mut indirect_grefs = [world.gref(page); 8];
            indirect_grefs[7] = script.u16().into();
            world.push(IndirectRequest {
                operation: Operation::INDIRECT,
                indirect_op: Operation(script.byte() % 3),
                nr_segments: count,
                sector_number: u64::from(script.byte()),
                indirect_grefs,
                ..IndirectRequest::default()
            });
        }
        8 => {
            let page = usize::from(script.byte()) % DATA_PAGES;
            let segments: Vec<Segment> = (0..8).map(|_| segment(world, script)).collect();
            let region = world.data.region();
            region.write(page * PAGE_SIZE, segments.as_bytes());
        }
        9..=10 => world.poll(),
        11 if script.byte().is_multiple_of(8) => world.grant_anew(),
        11 => world.poll(),
        12..=13 => while let Ok(Some(_)) = world.ring.pop() {},
        // Any entry.
        14 => {
            let bytes: [u8; ENTRY_SIZE] = script.array();
            world.push(RawRequest::read_from_bytes(&bytes).unwrap());
        }
        // It writes into the ring's page.
        _ => {
            let (at, value) = (script.u16(), u32::from_le_bytes(script.array()));
            world
                .region()
                .store_u32(usize::from(at) % 4096 / 4 * 4, value);
        }
    }
}

fn segment(world: &World, script: &mut Script<'_>) -> Segment {
    let kind = script.byte();
    let whole = world.page(usize::from(kind >> 4));
    match kind % 16 {
        0..=9 => whole,
        10..=12 => Segment {
            first_sect: script.byte() % 8,
            ..whole
        },
        13 => Segment {
            gref: script.u16().into(),
            ..whole
        },
        _ => Segment {
            first_sect: script.byte() % 10,
            last_sect: script.byte() % 10,
            ..whole
        },
    }
}

/// The bytes that are left.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }
}
