//! A peer that writes anything anywhere it can, at any time, and an end of ours that goes on with its work.
//!
//! What happens is told by bytes, so that a fuzzer can search among them; each step is a byte for its kind and some for its
//! details, and missing ones are zero.

use morgana_hal::{GrantRef, StreamError};
use morgana_vchan::Sizes;

use crate::support::{Faked, ORDERS, Party, World};

/// Steps in one script: more only make a fuzzer slow.
const MAX_STEPS: usize = 256;

/// Plays a script. Fails if our end panics, writes where it may not, moves other than whole messages or more than was asked for, lives again after
/// impossible indices, or leaves something behind.
pub(crate) fn play(script: &[u8]) {
    let mut script = Script(script);
    let mut world = if script.byte() & 1 == 0 {
        World::server(Sizes {
            to_server: size(script.byte()),
            to_client: size(script.byte()),
        })
    } else {
        World::client(&faked(&mut script))
    };
    if let Some(party) = &mut world.party {
        let mut broken = false;
        for _ in 0..MAX_STEPS {
            let Some(kind) = script.next() else {
                break;
            };
            let done = step(party, kind, &mut script);
            assert!(
                !broken || done != Some(Ok(())),
                "a broken vchan moves bytes"
            );
            broken |= done == Some(Err(StreamError::BadIndices));
        }
    }
    world.end();
}

fn size(byte: u8) -> usize {
    [1, 1024, 2048, 4096, 10_000, 40_000][usize::from(byte % 6)]
}

/// What a server has written: mostly what there can be.
fn faked(script: &mut Script<'_>) -> Faked {
    let pairs = [(10, 11), (11, 10), (11, 12), (12, 12), (13, 12), (12, 14)];
    let kind = script.byte();
    let orders = match pairs.get(usize::from(kind % 8)) {
        Some((left, right)) => left | right << 16,
        None => u32::from_le_bytes(script.array()),
    };
    let grants = match kind >> 3 {
        0..=27 => (0..8).map(Ok).collect(),
        _ => (0..script.byte() % 9)
            .map(|_| match script.byte() {
                page @ ..=0x7f => Ok(usize::from(page)),
                _ => Err(GrantRef::new(u32::from_le_bytes(script.array()))),
            })
            .collect(),
    };
    Faked {
        orders,
        grants,
        live: script.byte().min(2),
        start: u32::from_le_bytes(script.array()),
    }
}

/// `Some` with what an operation of ours that would move bytes has come to, if it is known.
fn step(party: &mut Party, kind: u8, script: &mut Script<'_>) -> Option<Result<(), StreamError>> {
    match kind % 12 {
        // The peer moves an index: a little, or anywhere.
        0 | 1 => {
            let [consumed, produced] = party.peers();
            let at = if kind & 16 == 0 { produced } else { consumed };
            let by = u32::from(script.u16());
            let value = party.region().load_u32(at).wrapping_add(by);
            party.region().store_u32(at, value);
        }
        // It writes anything into the words, or anywhere into the page.
        2 => {
            let at = usize::from(script.byte()) % 6 * 4;
            party
                .region()
                .store_u32(at, u32::from_le_bytes(script.array()));
        }
        3 => {
            let (at, byte) = (usize::from(script.u16()) % 4096, script.byte());
            party.region().write(at, &[byte]);
        }
        // It wants to be told of everything, comes or goes, or says that its rings have other sizes.
        4 => party.region().write(22, &[3, 3]),
        5 => party.set_live(script.byte() % 3),
        6 => party
            .region()
            .store_u32(ORDERS, u32::from_le_bytes(script.array())),
        7 => party.notify(),
        // Ours works.
        kind => {
            let len = usize::from(script.u16()) % 6000 + 1;
            let mut none = false;
            let done = party.step(|party| {
                let (taken, put) = match kind {
                    8 => (party.read(len)?, 0),
                    9 => (0, party.write(len)?),
                    10 => (party.receive(len)?, 0),
                    _ => (0, party.send(len)?),
                };
                assert!(taken <= len && put <= len, "more was moved than asked for");
                none = taken + put == 0;
                Ok((taken, put))
            });
            return (done.is_err() || !none).then_some(done);
        }
    }
    None
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
