//! The daemon with guests in memory, over xenstored of our own.

mod common;

use std::time::Duration;

use morgana_hal::{DomId, Port};
use morgana_xenconsoled::{Options, Overflow, Rate};

use common::{Fault, World, world};

const D1: DomId = DomId::new(1);
const D2: DomId = DomId::new(2);
/// Bytes for a terminal that may be on the link.
const LINK: usize = 8192;

#[test]
fn what_a_guest_writes_is_logged_and_shown_and_what_is_typed_arrives() {
    world(Options::default(), async |world: World| {
        let guest = world.guest(D1, "web", 7).await;
        guest.write(b"hello\r\n").await;
        world.logged("web", "hello\r\n").await;
        world.shown(D1, b"hello\r\n").await;
        world.type_at(D1, b"reboot\n").await;
        assert_eq!(guest.read(7).await, b"reboot\n");
        assert_eq!(
            world.read("/local/domain/1/console/tty").await,
            "/terminal/1"
        );
    });
}

#[test]
fn the_last_words_of_a_guest_that_is_gone_are_logged() {
    world(Options::default(), async |world: World| {
        let guest = world.guest(D1, "web", 7).await;
        world.logged("web", "").await;
        // Written and gone before the daemon has a turn.
        guest.put(b"panic: I am done");
        world.remove(D1).await;
        world.logged("web", "panic: I am done").await;
        world.detached(D1).await;
    });
}

#[test]
fn a_guest_that_breaks_its_ring_is_let_go_of_and_others_are_not() {
    world(Options::default(), async |world: World| {
        let bad = world.guest(D1, "bad", 7).await;
        let good = world.guest(D2, "good", 8).await;
        world.logged("bad", "").await;
        bad.fail(Fault::Indices);
        world.detached(D1).await;
        good.write(b"still here").await;
        world.logged("good", "still here").await;
        // It gets another ring.
        let bad = world.moves(D1, Port::new(9)).await;
        bad.write(b"again").await;
        world.logged("bad", "again").await;
    });
}

#[test]
fn a_console_of_another_daemon_is_left_alone() {
    world(Options::default(), async |world: World| {
        world.write("/local/domain/1/console/type", "ioemu").await;
        let _guest = world.guest(D1, "hvm", 7).await;
        let other = world.guest(D2, "pv", 8).await;
        other.write(b"x").await;
        world.logged("pv", "x").await;
        assert!(world.was_never_attached(D1));
    });
}

#[test]
fn a_guest_whose_ring_cannot_be_had_waits_for_another() {
    world(Options::default(), async |world: World| {
        world.refuse(D1, Port::new(7));
        let _ = world.guest(D1, "web", 7).await;
        let guest = world.moves(D1, Port::new(8)).await;
        guest.write(b"x").await;
        world.logged("web", "x").await;
    });
}

#[test]
fn a_flood_is_slowed_down_and_others_are_served() {
    let options = Options {
        rate: Rate {
            bytes_a_second: 100_000,
            burst: 10_000,
            shared: 0,
        },
        ..Options::default()
    };
    world(options, async |world: World| {
        let loud = world.guest(D1, "loud", 7).await;
        let quiet = world.guest(D2, "quiet", 8).await;
        world.logged("loud", "").await;
        let start = world.now();
        let flood = async {
            for _ in 0..100 {
                loud.write(&[b'x'; 1000]).await;
            }
        };
        let calm = async {
            for number in 0..10 {
                let sent = world.now();
                let word = format!("{number}\n");
                quiet.write(word.as_bytes()).await;
                world.ends_with("quiet", &word).await;
                // At once: nothing of it waits for the loud one.
                assert_eq!(world.now(), sent);
                world.sleep(Duration::from_millis(10)).await;
            }
        };
        morgana_exec::join(flood, calm).await;
        let took = world.now().since(start);
        assert!(took >= Duration::from_millis(850), "{took:?}");
    });
}

#[test]
fn output_that_nobody_reads_is_kept_within_its_limit() {
    world(Options::default(), async |world: World| {
        world.write("/local/domain/1/console/limit", "5000").await;
        world.hold_terminals();
        let guest = world.guest(D1, "web", 7).await;
        let sent: Vec<u8> = (0..60_000u32).map(|n| b'a' + (n / 2000) as u8).collect();
        guest.write(&sent).await;
        world
            .logged("web", std::str::from_utf8(&sent).unwrap())
            .await;
        world.release_terminals();
        let shown = world.shown_until(D1, &sent[59_000..]).await;
        assert_eq!(shown[..2500], sent[..2500]);
        assert!(shown.len() < 10_000 + LINK, "{}", shown.len());
    });
}

#[test]
fn a_terminal_that_is_slower_than_its_guest_loses_nothing() {
    world(Options::default(), async |world: World| {
        world.write("/local/domain/1/console/limit", "5000").await;
        let guest = world.guest(D1, "web", 7).await;
        let sent: Vec<u8> = (0..60_000u32).map(|n| (n / 7) as u8 | 0x20).collect();
        let read = async {
            // It takes what it holds, and then nothing for most of the guest's patience.
            for _ in 0..60 {
                world.seen(D1);
                world.sleep(Duration::from_millis(900)).await;
            }
            world.shown(D1, &sent).await;
        };
        morgana_exec::join(guest.write(&sent), read).await;
    });
}

#[test]
fn output_that_is_to_be_kept_makes_the_guest_wait() {
    let options = Options {
        overflow: Overflow::Keep,
        ..Options::default()
    };
    world(options, async |world: World| {
        world.write("/local/domain/1/console/limit", "5000").await;
        world.hold_terminals();
        let guest = world.guest(D1, "web", 7).await;
        let sent: Vec<u8> = (0..60_000u32).map(|n| n as u8 | 0x20).collect();
        let write = guest.write(&sent);
        let read = async {
            world.sleep(Duration::from_secs(1)).await;
            // The limit, exceeded by less than a piece; what the terminal holds; what the ring holds; what is on its way to the terminal.
            let taken = 5000 + 2048 + 4096 + 2048 + LINK;
            assert!(guest.unread() > sent.len() - taken, "{}", guest.unread());
            world.release_terminals();
            world.shown(D1, &sent).await;
        };
        morgana_exec::join(write, read).await;
    });
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    world(Options::default(), async |world: World| {
        let guest = world.guest(D1, "web", 7).await;
        world.logged("web", "").await;
        world.break_logs();
        guest.write(b"lost").await;
        world.shown(D1, b"lost").await;
        world.mend_logs();
        guest.write(b"found").await;
        world.logged("web", "found").await;
    });
}

#[test]
fn a_later_domain_of_the_same_number_is_another_guest() {
    world(Options::default(), async |world: World| {
        let first = world.guest(D1, "first", 7).await;
        first.write(b"1").await;
        world.logged("first", "1").await;
        world.remove(D1).await;
        world.detached(D1).await;
        let second = world.guest(D1, "second", 7).await;
        second.write(b"2").await;
        world.logged("second", "2").await;
        world.logged("first", "1").await;
    });
}

#[test]
fn twenty_guests_lose_nothing_in_either_direction() {
    world(Options::default(), async |world: World| {
        let sent: Vec<Vec<u8>> = (0..20u32)
            .map(|seed| {
                (0..50_000u32)
                    .map(|n| (n.wrapping_mul(2 * seed + 1) >> 3) as u8 | 0x40)
                    .collect()
            })
            .collect();
        let mut guests = Vec::new();
        for number in 1..=20u16 {
            guests.push(
                world
                    .guest(DomId::new(number), &format!("g{number}"), 7)
                    .await,
            );
        }
        let all = guests
            .iter()
            .zip(&sent)
            .enumerate()
            .map(|(index, (guest, sent))| {
                let world = &world;
                async move {
                    let domain = DomId::new(index as u16 + 1);
                    let write = guest.write(sent);
                    let shown = world.shown(domain, sent);
                    let typed = async {
                        for piece in sent.chunks(777) {
                            world.type_at(domain, piece).await;
                            assert_eq!(guest.read(piece.len()).await, piece);
                        }
                    };
                    morgana_exec::join(morgana_exec::join(write, shown), typed).await;
                }
            });
        morgana_exec::join_all(all).await;
    });
}
