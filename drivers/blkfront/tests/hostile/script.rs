//! A back end that writes anything anywhere it can, at any time, and a front end that goes on with its work.
//!
//! What happens is told by bytes, so that a fuzzer can search among them; each step is a byte for its kind and some for its
//! details, and missing ones are zero.

use morgana_blkfront::{Discard, Request, Ticket};
use morgana_blkif::Status;

use crate::support::World;

/// Steps in one script: more only make a fuzzer slow.
const MAX_STEPS: usize = 256;

/// Plays a script. Fails if the front end panics, does more than its limits allow, or leaves something behind.
pub(crate) fn play(script: &[u8]) {
    let mut world = World::new();
    let mut script = Script(script);
    let mut tickets = Vec::new();
    for _ in 0..MAX_STEPS {
        let Some(kind) = script.next() else {
            break;
        };
        step(&mut world, kind, &mut script, &mut tickets);
        assert!(world.table.len() <= 32);
        let stats = world.link.stats();
        assert_eq!(
            stats.violations,
            u64::from(world.link.violation().is_some())
        );
    }
    for ticket in tickets {
        world.table.detach(ticket);
    }
    world.end();
}

fn step(world: &mut World, kind: u8, script: &mut Script<'_>, tickets: &mut Vec<Ticket>) {
    let data = [0xa5; 40 * 512];
    match kind % 16 {
        0..=1 => {
            let bytes = (usize::from(script.u16()) % 128 + 1) * 512;
            let request = Request::Read { sector: 7, bytes };
            tickets.extend(world.submit(&request));
        }
        2..=3 => {
            let count = usize::from(script.u16()) % 40 + 1;
            let request = Request::Write {
                sector: 9,
                data: &data[..count * 512],
            };
            tickets.extend(world.submit(&request));
        }
        4 => tickets.extend(world.submit(&Request::Flush)),
        5 => {
            let request = Request::Discard {
                sector: 0,
                sectors: 8,
                how: Discard::Secure,
            };
            tickets.extend(world.submit(&request));
        }
        6..=7 => world.pass(),
        // A user takes an outcome, or leaves.
        8..=9 => {
            let index = usize::from(script.u16());
            if !tickets.is_empty() {
                let ticket = tickets[index % tickets.len()];
                if world.table.outcome(ticket).is_some() {
                    let mut into = vec![0; 64 * 1024];
                    world.link.collect(&mut world.table, ticket, &mut into);
                    tickets.retain(|&kept| kept != ticket);
                } else if kind & 1 == 0 {
                    world.table.detach(ticket);
                    tickets.retain(|&kept| kept != ticket);
                }
            }
        }
        // The back end answers as it should.
        10..=12 => {
            if let Ok(Some(request)) = world.ring.pop() {
                world.answer(request.id(), Status::OKAY);
            }
        }
        // It answers anything.
        13 => {
            let (id, status) = (u64::from_le_bytes(script.array()), script.u16() as i16);
            if let Ok(Some(_)) = world.ring.pop() {
                world.answer(id, Status(status));
            }
        }
        // It answers something that may have been asked, well or not.
        14 => {
            let (id, status) = (script.u16(), -i16::from(script.next().unwrap_or(0) % 4));
            if let Ok(Some(_)) = world.ring.pop() {
                world.answer(id.into(), Status(status));
            }
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

/// The bytes that are left.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().unwrap_or(0))
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }
}
