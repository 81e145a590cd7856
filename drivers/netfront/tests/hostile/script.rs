//! A back end that writes anything anywhere it can, at any time, and a front end that goes on with its work.
//!
//! What happens is told by bytes, so that a fuzzer can search among them; each step is a byte for its kind and some for its
//! details, and missing ones are zero.

use morgana_netfront::{Config, Segmentation, TxChecksum, TxMeta};
use morgana_netif::{ExtraInfo, GsoProtocol, RxFlags, TxStatus};
use zerocopy::transmute;

use crate::support::World;

/// Steps in one script: more only make a fuzzer slow.
const MAX_STEPS: usize = 256;

/// Plays a script. Fails if the front end panics, does more than its limits allow, or leaves something behind.
pub(crate) fn play(script: &[u8]) {
    let config = Config {
        transmit_pages: 8,
        receive_pages: 32,
        queues: 2,
    };
    let mut world = World::with(&config, 1500);
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
        assert!(stats.tx_in_flight <= stats.tx_buffers && stats.rx_offered <= 64);
        assert_eq!(
            stats.violations,
            u64::from(world.link.violation().is_some())
        );
    }
    world.end();
}

fn step(world: &mut World, kind: u8, script: &mut Script<'_>) {
    match kind % 16 {
        0..=2 if kind >= 128 => {
            let (len, size) = (script.u16(), script.u16().max(1));
            let len = usize::from(len).clamp(14, world.link.segmentation().max_frame);
            if let Some(slot) = world.link.transmit() {
                slot.send(len, |frame| {
                    frame.fill(0xa5);
                    TxMeta {
                        checksum: TxChecksum::Blank,
                        segmentation: Some(Segmentation {
                            kind: GsoProtocol::TcpV4,
                            size: size.try_into().unwrap(),
                        }),
                    }
                });
            }
        }
        // It puts a piece of a TCP packet into a page, which may be the first of a large one.
        11..=13 if kind >= 128 => {
            let (len, total) = (usize::from(script.u16()) % 4097, script.u16());
            let (flags, size) = (script.next().unwrap_or(0), script.u16());
            if world.rx.available().is_ok_and(|waiting| waiting > 1) {
                let flags = RxFlags::from_bits_retain(flags.into());
                world.put(&tcp(len, total), flags);
                if flags.contains(RxFlags::EXTRA_INFO) {
                    world.put_slot(transmute!(ExtraInfo::gso(size, GsoProtocol::TcpV4)));
                }
            }
        }
        0..=2 => {
            let len = 14 + usize::from(script.u16()) % 1501;
            if let Some(slot) = world.link.transmit() {
                slot.send(len, |frame| {
                    frame.fill(0xa5);
                    TxChecksum::Blank.into()
                });
            }
        }
        3..=5 => {
            let mut received = 0;
            while let Some(mut frame) = world.link.receive() {
                let large = frame.meta().segmentation.is_some();
                let longest = if large { 65_535 } else { 1518 };
                assert!((14..=longest).contains(&frame.bytes().len()));
                received += 1;
                assert!(received <= 128);
            }
        }
        6..=7 => world.link.flush(),
        // The back end answers as it should.
        8..=9 => {
            if let Ok(Some(request)) = world.tx.pop() {
                world.answer(request.id, TxStatus::OKAY);
            }
        }
        // It answers anything.
        10 => {
            let (id, status) = (script.u16(), script.u16() as i16);
            if let Ok(Some(_)) = world.tx.pop() {
                world.answer(id, TxStatus(status));
            }
        }
        // It fills a page as it should, but for the flags.
        11..=13 => {
            let (len, flags) = (usize::from(script.u16()) % 4097, script.next());
            if world.rx.available().is_ok_and(|waiting| waiting > 0) {
                let flags = RxFlags::from_bits_retain(flags.unwrap_or(0).into());
                world.put(&vec![1; len], flags);
            }
        }
        // It answers an offered page with anything.
        14 => {
            let slot = script.array();
            if world.rx.available().is_ok_and(|waiting| waiting > 0) {
                world.put_slot(slot);
            }
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

/// The first `len` bytes of a TCP packet whose IP header says that it has `total`.
fn tcp(len: usize, total: u16) -> Vec<u8> {
    let mut bytes = vec![0x45; len.max(54)];
    bytes[12..14].copy_from_slice(&[0x08, 0x00]);
    bytes[16..18].copy_from_slice(&total.to_be_bytes());
    bytes[20..24].copy_from_slice(&[0, 0, 64, 6]);
    bytes[46] = 0x50;
    bytes.truncate(len);
    bytes
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
