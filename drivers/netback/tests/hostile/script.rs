//! A front end that writes anything anywhere it can, at any time, and a back end that goes on with its work.
//!
//! What happens is told by bytes, so that a fuzzer can search among them; each step is a byte for its kind and some for its
//! details, and missing ones are zero.

use morgana_hal::GrantRef;
use morgana_netback::Config;
use morgana_netif::{ExtraInfo, GsoProtocol, TxFlags, TxRequest};
use zerocopy::transmute;

use crate::support::World;

/// Steps in one script: more only make a fuzzer slow.
const MAX_STEPS: usize = 256;

/// Plays a script. Fails if the back end panics, does more than its limits allow, or leaves something behind.
pub(crate) fn play(script: &[u8]) {
    let config = Config {
        inbound_bytes: 8192,
        outbound_frames: 64,
        ..Config::default()
    };
    let mut world = World::with_queues(&config, 2);
    let mut script = Script(script);
    for _ in 0..MAX_STEPS {
        let Some(kind) = script.next() else {
            break;
        };
        if kind & 0x40 != 0 {
            world.change_queue();
        }
        step(&mut world, kind, &mut script);
        let stats = world.link.stats();
        assert!(stats.out_queued <= 64);
        assert_eq!(
            stats.violations,
            u64::from(world.link.violation().is_some())
        );
    }
    world.end();
}

fn step(world: &mut World, kind: u8, script: &mut Script<'_>) {
    match kind % 16 {
        0..=1 if kind < 128 => {
            let len = 14 + usize::from(script.u16()) % 1505;
            world.deliver(&vec![0x5a; len]);
        }
        0..=1 => {
            let (len, size) = (script.u16().max(14), script.u16());
            world.deliver_large(len.into(), size);
        }
        // It says that its last request is a large packet.
        11 if kind >= 128 => {
            let size = script.u16();
            if world.tx.free() > 0 {
                world.extra(transmute!(ExtraInfo::gso(size, GsoProtocol::TcpV4)));
            }
        }
        2..=4 => {
            let mut received = 0;
            while let Some(mut frame) = world.link.receive() {
                let large = frame.meta().segmentation.is_some();
                let longest = if large { 65_535 } else { 1518 };
                assert!((14..=longest).contains(&frame.bytes().len()));
                received += 1;
                assert!(received <= 128);
            }
        }
        5..=6 => world.link.flush(),
        // The front end asks to send a page of its own, with any size and flags.
        7..=10 => {
            let (id, size, flags) = (script.u16(), script.u16(), script.next());
            if world.tx.free() > 0 {
                let gref = world.source(usize::from(id) % 20).number();
                let flags = TxFlags::from_bits_retain(flags.unwrap_or(0).into());
                world.request(TxRequest {
                    gref,
                    offset: 0,
                    flags,
                    id,
                    size: if kind < 128 { size % 1600 } else { size },
                });
            }
        }
        // It asks for anything.
        11 => {
            let slot = script.array();
            if world.tx.free() > 0 {
                world.slot(slot);
            }
        }
        // It offers a page, or what is none.
        12..=13 => {
            let (id, gref) = (script.u16(), script.next().unwrap_or(0));
            if world.rx.free() > 0 {
                world.offer(id, GrantRef::new(gref.into()));
            }
        }
        // It takes in responses.
        14 => {
            while let Ok(Some(_)) = world.tx.pop() {}
            while let Ok(Some(_)) = world.rx.pop() {}
        }
        // It writes into one of the rings' pages.
        _ => {
            let (at, value) = (script.u16(), u32::from_le_bytes(script.array()));
            let region = if at & 1 == 0 {
                world.tx_region()
            } else {
                world.rx_region()
            };
            region.store_u32(usize::from(at) % 4096 / 4 * 4, value);
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
