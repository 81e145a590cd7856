//! Front and back ends find each other through xenstore, part, and find each other again; and nothing that was acknowledged is lost.

#[path = "../../../netback/tests/handshake/domain.rs"]
mod domain;
#[path = "../../../netback/tests/handshake/machine.rs"]
mod machine;
mod support;
#[path = "../../../netback/tests/handshake/xenstored.rs"]
mod xenstored;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use machine::{back_path, run};
use morgana_blkback as blkback;
use morgana_blkfront as blkfront;
use morgana_blkfront::ConnectError;
use morgana_block::{BlockDevice, BlockError, Discard, Geometry, RamDisk, ReadOnly, Writes};
use morgana_exec::join_all;
use morgana_hal::DomId;
use morgana_xenbus::{State, XenbusError};
use support::{FRONT_PATH, Slow, content, disk, exercise, small};

const DRIVER: DomId = DomId::new(2);

#[test]
fn a_disk_connects_works_and_closes() {
    for seed in 0..6 {
        run(
            seed,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let back = control.blkback(disk()).await;
                control.wait_for("worked").await;
                assert_eq!(control.states(DomId::DOM0).await, "44");
                assert!(back.is_connected());
                control.reach("checked");
                control.wait_for("closed").await;
                control.pause().await;
                assert_eq!(control.states(DomId::DOM0).await, "62");
                assert!(!back.is_connected());
                let stats = back.stats();
                assert_eq!((stats.connections, stats.violations), (1, 0));
                assert_eq!((stats.refused, stats.unsupported, stats.errors), (0, 0, 0));
                assert!(stats.indirect > 0 && stats.flushes == 3);
                assert!(stats.persistent_maps > 0 && stats.persistent_pages == 0);
                back.close().await;
                assert_eq!(control.states(DomId::DOM0).await, "66");
            },
            async |own| {
                own.wait_for("attached").await;
                assert_eq!(
                    blkfront::disks(&own.client).await.unwrap(),
                    [blkfront::Vdev::XVDA]
                );
                let front = own.blkfront().await.unwrap();
                assert_eq!(front.geometry().sectors(), 4096);
                assert_eq!(front.geometry().writes(), Writes::Allowed);
                exercise(&front, 3).await;
                front.discard(0, 4096, Discard::Secure).await.unwrap();
                let mut bytes = vec![1; 4096];
                front.read(8, &mut bytes).await.unwrap();
                assert_eq!(bytes, vec![0; 4096]);
                own.reach("worked");
                own.wait_for("checked").await;
                assert_eq!(front.stats().pool_used, 0);
                front.close().await;
                own.reach("closed");
            },
            async |_| {},
        );
    }
}

#[test]
fn several_queues_and_large_rings() {
    for (seed, (queues, order, segments)) in
        [(1, 0, 11), (4, 0, 16), (2, 1, 11), (16, 4, 16), (3, 2, 512)]
            .into_iter()
            .enumerate()
    {
        run(
            seed as u64,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let back = control.blkback(disk()).await;
                control.wait_for("worked").await;
                back.close().await;
            },
            async move |own| {
                own.wait_for("attached").await;
                let config = blkfront::Config {
                    queues,
                    ring_page_order: order,
                    segments,
                    pool_pages: 80,
                };
                let front = own.blkfront_with(config).await.unwrap();
                exercise(&front, 2).await;
                own.reach("worked");
                front.close().await;
            },
            async |_| {},
        );
    }
}

/// With as many pages that stay mapped as there are in the front end's pool, with fewer, with less than one a queue, and with none.
#[test]
fn pages_that_stay_mapped_or_not() {
    for (seed, (queues, persistent_pages)) in [(1, 512), (1, 16), (4, 512), (4, 64), (4, 3), (2, 0)]
        .into_iter()
        .enumerate()
    {
        run(
            seed as u64,
            async move |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let config = blkback::Config {
                    persistent_pages,
                    ..Default::default()
                };
                let back = control.blkback_with(disk(), config).await;
                control.wait_for("worked").await;
                let stats = back.stats();
                assert!(stats.persistent_pages <= persistent_pages);
                assert_eq!(stats.persistent_maps > 0, persistent_pages >= queues);
                control.reach("checked");
                control.wait_for("closed").await;
                control.pause().await;
                assert_eq!(back.stats().persistent_pages, 0);
                assert_eq!(back.stats().bad_grants, 0);
                back.close().await;
            },
            async move |own| {
                own.wait_for("attached").await;
                let config = blkfront::Config { queues, ..small() };
                let front = own.blkfront_with(config).await.unwrap();
                exercise(&front, 3).await;
                own.reach("worked");
                own.wait_for("checked").await;
                front.close().await;
                own.reach("closed");
            },
            async |_| {},
        );
    }
}

#[test]
fn sectors_of_4096_bytes() {
    run(
        1,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.reach("attached");
            let back = control.blkback(RamDisk::new(4096, 100).unwrap()).await;
            control.wait_for("worked").await;
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            let front = own.blkfront().await.unwrap();
            let geometry = Geometry::new(4096, 100, Writes::Allowed).unwrap();
            assert_eq!(front.geometry(), geometry);
            front.write(99, &content(7, 4096)).await.unwrap();
            front.write(0, &content(8, 99 * 4096)).await.unwrap();
            let mut bytes = vec![0; 4096];
            front.read(99, &mut bytes).await.unwrap();
            assert_eq!(bytes, content(7, 4096));
            let misaligned = front.read(0, &mut bytes[..512]).await;
            assert_eq!(misaligned, Err(BlockError::Misaligned));
            let beyond = front.read(100, &mut bytes).await;
            assert_eq!(beyond, Err(BlockError::OutOfRange));
            own.reach("worked");
            front.close().await;
        },
        async |_| {},
    );
}

#[test]
fn a_read_only_disk_is_not_written() {
    run(
        1,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.reach("attached");
            let back = control.blkback(ReadOnly(disk())).await;
            control.wait_for("worked").await;
            assert_eq!(back.stats().refused, 0, "the front end has not even asked");
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            let front = own.blkfront().await.unwrap();
            let mut bytes = vec![7; 512];
            front.read(0, &mut bytes).await.unwrap();
            let refused = Err(BlockError::ReadOnly);
            assert_eq!(front.write(0, &bytes).await, refused);
            assert_eq!(front.discard(0, 1, Discard::Plain).await, refused);
            assert!(!front.discards(Discard::Plain));
            own.reach("worked");
            front.close().await;
        },
        async |_| {},
    );
}

#[test]
fn a_front_end_comes_again() {
    for seed in 0..6 {
        run(
            seed,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let back = control.blkback(disk()).await;
                control.wait_for("worked").await;
                control.pause().await;
                assert_eq!(back.stats().connections, 3);
                back.close().await;
            },
            async |own| {
                own.wait_for("attached").await;
                for round in 0..2 {
                    let front = own.blkfront().await.unwrap();
                    front.write(round, &content(round, 512)).await.unwrap();
                    front.close().await;
                }
                // One that is only dropped closes in the background, and does what it was asked before.
                let front = own.blkfront().await.unwrap();
                for round in 0..2 {
                    let mut bytes = vec![0; 512];
                    front.read(round, &mut bytes).await.unwrap();
                    assert_eq!(bytes, content(round, 512));
                }
                drop(front);
                own.pause().await;
                own.reach("worked");
            },
            async |_| {},
        );
    }
}

#[test]
fn a_back_end_comes_again_and_no_acknowledged_write_is_lost() {
    for seed in 0..8 {
        run(
            seed,
            async move |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let disk = disk();
                let slow = || Slow {
                    disk: disk.clone(),
                    timers: control.handle.timers(),
                };
                for round in 0..4 {
                    let back = control.blkback(slow()).await;
                    // In the middle of something, at another point each time.
                    let while_at_work = Duration::from_millis(60 + 3 * round + seed);
                    control.handle.timers().sleep(while_at_work).await;
                    back.close().await;
                }
                let back = control.blkback(slow()).await;
                control.reach("steady");
                control.wait_for("worked").await;
                back.close().await;
            },
            async |own| {
                own.wait_for("attached").await;
                let front = own.blkfront().await.unwrap();
                let steady = Cell::new(false);
                let worker = |place: u64| {
                    let (front, steady, own) = (&front, &steady, &own);
                    async move {
                        let mut round = place;
                        while !steady.get() {
                            let bytes = content(round, 24 * 512);
                            front.write(place * 24, &bytes).await.unwrap();
                            let mut found = vec![0; 24 * 512];
                            front.read(place * 24, &mut found).await.unwrap();
                            assert_eq!(found, bytes);
                            round += 16;
                            if place == 0 {
                                steady.set(own.has_reached("steady"));
                            }
                        }
                    }
                };
                join_all((0..16).map(worker)).await;
                let stats = front.stats();
                assert!(stats.connections >= 4 && stats.errors == 0);
                assert!(stats.resent > 0, "something was under way");
                own.reach("worked");
                front.close().await;
            },
            async |_| {},
        );
    }
}

#[test]
fn accesses_wait_for_a_back_end_and_a_dropped_one_leaves_nothing_behind() {
    run(
        3,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.reach("attached");
            let disk = disk();
            let back = control.blkback(disk.clone()).await;
            control.wait_for("once").await;
            back.close().await;
            control.reach("away");
            control.wait_for("dropped").await;
            let back = control.blkback(disk).await;
            control.wait_for("worked").await;
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            let front = Rc::new(own.blkfront().await.unwrap());
            exercise(&front, 1).await;
            own.reach("once");
            own.wait_for("away").await;
            assert!(matches!(
                front.parted(),
                Some(blkfront::Parted::PeerLeft(_))
            ));
            let waiting = {
                let front = front.clone();
                own.handle
                    .spawn(async move { front.write(9, &content(9, 512)).await })
                    .unwrap()
            };
            let timers = own.handle.timers();
            let mut bytes = vec![0; 512];
            let patience = Duration::from_secs(10);
            let dropped = timers.timeout(patience, front.read(9, &mut bytes)).await;
            assert!(dropped.is_err());
            own.reach("dropped");
            waiting.await.unwrap().unwrap();
            front.read(9, &mut bytes).await.unwrap();
            assert_eq!(bytes, content(9, 512));
            assert_eq!((front.stats().pool_used, front.stats().in_flight), (0, 0));
            own.reach("worked");
            let Ok(front) = Rc::try_unwrap(front) else {
                panic!("nobody else has it");
            };
            front.close().await;
        },
        async |_| {},
    );
}

#[test]
fn the_toolstack_moves_a_disk_to_another_driver_domain() {
    for seed in 0..6 {
        let disk = disk();
        let other = disk.clone();
        run(
            seed,
            async move |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let back = control.blkback(disk).await;
                control.wait_for("once").await;
                back.close().await;
                control.attach(DRIVER).await;
                let old = back_path(DomId::DOM0);
                control.client.remove(&old).await.unwrap();
                control.reach("moved");
                control.wait_for("twice").await;
            },
            async |own| {
                own.wait_for("attached").await;
                let front = own.blkfront().await.unwrap();
                front.write(5, &content(5, 512)).await.unwrap();
                own.reach("once");
                own.wait_for("moved").await;
                let mut bytes = vec![0; 512];
                front.read(5, &mut bytes).await.unwrap();
                assert_eq!(bytes, content(5, 512));
                assert_eq!(front.stats().connections, 2);
                front.close().await;
                own.reach("twice");
            },
            async move |driver| {
                driver.wait_for("moved").await;
                let back = driver.blkback(other).await;
                driver.wait_for("twice").await;
                back.close().await;
            },
        );
    }
}

#[test]
fn the_toolstack_takes_a_disk_away_and_brings_it_back() {
    for seed in 0..6 {
        run(
            seed,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let disk = disk();
                let back = control.blkback(disk.clone()).await;
                control.wait_for("once").await;
                control.client.remove(FRONT_PATH).await.unwrap();
                let path = back_path(DomId::DOM0);
                control.client.remove(&path).await.unwrap();
                control.pause().await;
                assert_eq!(back.parted(), blkback::Parted::Removed);
                assert!(!back.is_connected() && back.is_ended());
                drop(back);
                control.attach(DomId::DOM0).await;
                let back = control.blkback(disk).await;
                control.wait_for("twice").await;
                back.close().await;
            },
            async |own| {
                own.wait_for("attached").await;
                let front = own.blkfront().await.unwrap();
                front.write(0, &content(1, 512)).await.unwrap();
                own.reach("once");
                own.handle.timers().sleep(Duration::from_secs(60)).await;
                let mut bytes = vec![0; 512];
                front.read(0, &mut bytes).await.unwrap();
                assert_eq!(bytes, content(1, 512));
                assert_eq!(front.stats().connections, 2);
                front.close().await;
                own.reach("twice");
            },
            async |_| {},
        );
    }
}

/// A disk that grows while it is in use.
struct Growing(RamDisk, Cell<u64>);

impl BlockDevice for Growing {
    fn geometry(&self) -> Geometry {
        Geometry::new(512, self.1.get(), Writes::Allowed).unwrap()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.0.read(sector, into).await
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.0.write(sector, from).await
    }

    async fn flush(&self) -> Result<(), BlockError> {
        self.0.flush().await
    }
}

#[test]
fn a_new_size_is_noticed() {
    run(
        2,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.reach("attached");
            let disk = Growing(RamDisk::new(512, 100).unwrap(), Cell::new(10));
            let disk = Rc::new(disk);
            let back = control.blkback(disk.clone()).await;
            control.wait_for("small").await;
            disk.1.set(100);
            back.resized();
            control.wait_for("large").await;
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            let front = own.blkfront().await.unwrap();
            let bytes = content(1, 512);
            assert_eq!(front.write(10, &bytes).await, Err(BlockError::OutOfRange));
            own.reach("small");
            own.pause().await;
            front.write(99, &bytes).await.unwrap();
            own.reach("large");
            front.close().await;
        },
        async |_| {},
    );
}

#[test]
fn a_front_end_whose_keys_are_wrong_is_left_and_the_next_one_is_served() {
    run(
        0,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.reach("attached");
            let back = control.blkback(disk()).await;
            control.wait_for("worked").await;
            assert_eq!(back.stats().connections, 1);
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            for keys in [
                &[("ring-ref", "5000"), ("event-channel", "5000")][..],
                &[("ring-ref", "-1"), ("event-channel", "1")],
                &[("ring-ref", "8"), ("event-channel", "")],
                &[("protocol", "x86_32-abi")],
                &[("protocol", "x86_64-abi"), ("ring-page-order", "31")],
                &[("ring-page-order", "2"), ("ring-ref0", "1")],
                &[
                    ("ring-page-order", "0"),
                    ("multi-queue-num-queues", "4000000000"),
                ],
                &[("multi-queue-num-queues", "0")],
                &[("multi-queue-num-queues", "3"), ("queue-0/ring-ref", "9")],
            ] {
                for (key, value) in keys.iter().chain(&[("state", "4")]) {
                    let path = format!("device/vbd/51712/{key}");
                    own.client.write(&path, value).await.unwrap();
                }
                own.pause().await;
                assert_ne!(own.states(DomId::DOM0).await, "44");
            }
            own.client
                .remove("device/vbd/51712/multi-queue-num-queues")
                .await
                .unwrap();
            let front = own.blkfront().await.unwrap();
            exercise(&front, 1).await;
            front.close().await;
            own.reach("worked");
        },
        async |_| {},
    );
}

#[test]
fn a_back_end_that_lies_about_its_disk_is_not_connected_to() {
    for (key, value) in [
        ("sectors", "-1"),
        ("sectors", "18446744073709551615"),
        ("sector-size", "0"),
        ("sector-size", "513"),
        ("sector-size", "1048576"),
        ("info", "x"),
    ] {
        run(
            0,
            async move |control| {
                control.attach(DomId::DOM0).await;
                let path = back_path(DomId::DOM0);
                for (key, value) in [("sectors", "8"), (key, value), ("state", "2")] {
                    let path = format!("{path}/{key}");
                    control.client.write(&path, value).await.unwrap();
                }
                control.reach("attached");
                control.handle.timers().sleep(Duration::from_secs(1)).await;
                let state = format!("{path}/state");
                control.client.write(&state, "4").await.unwrap();
                control.wait_for("told").await;
            },
            async move |own| {
                own.wait_for("attached").await;
                let error = own.blkfront().await.unwrap_err();
                assert!(
                    error.to_string().contains(key) || key == "sector-size",
                    "{error}"
                );
                own.reach("told");
            },
            async |_| {},
        );
    }
}

#[test]
fn a_front_end_without_device_says_so() {
    run(
        0,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.client.remove(FRONT_PATH).await.unwrap();
            control.reach("removed");
        },
        async |own| {
            own.wait_for("removed").await;
            let error = own.blkfront_with(small()).await.unwrap_err();
            assert_eq!(error, ConnectError::Xenbus(XenbusError::Removed));
        },
        async |_| {},
    );
}

#[test]
fn a_back_end_that_dies_is_not_waited_for() {
    let disk = disk();
    let other = disk.clone();
    run(
        0,
        async move |control| {
            control.attach(DRIVER).await;
            control.reach("attached");
            control.wait_for("dead").await;
            // The toolstack cleans up after a dead driver domain, and makes another one ready.
            control.client.remove(&back_path(DRIVER)).await.unwrap();
            control.reach("cleaned");
            control.wait_for("seen").await;
            control.attach(DomId::DOM0).await;
            let back = control.blkback(other).await;
            control.wait_for("worked").await;
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            let front = own.blkfront().await.unwrap();
            front.write(0, &content(1, 512)).await.unwrap();
            own.reach("once");
            own.wait_for("cleaned").await;
            own.pause().await;
            let gone = blkfront::Parted::PeerLeft(State::Unknown);
            assert_eq!(front.parted(), Some(gone));
            own.reach("seen");
            let mut bytes = vec![0; 512];
            front.read(0, &mut bytes).await.unwrap();
            assert_eq!(bytes, content(1, 512));
            front.close().await;
            own.reach("worked");
        },
        async move |driver| {
            driver.wait_for("attached").await;
            let _back = driver.blkback(disk).await;
            driver.wait_for("once").await;
            driver.reach("dead");
            // It ends without a word: its tasks are dropped with it.
        },
    );
}

/// Connect, traffic, kill one side, reconnect: at the end nothing is left over, as `run` checks.
#[test]
fn a_thousand_cycles_leave_nothing_behind() {
    const CYCLES: u64 = 1000;
    run(
        5,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.reach("attached");
            let disk = disk();
            let mut back = control.blkback(disk.clone()).await;
            let mut restarts = 0;
            while !control.has_reached("worked") {
                control
                    .handle
                    .timers()
                    .sleep(Duration::from_millis(1500))
                    .await;
                if restarts % 3 == 2 {
                    back.close().await;
                    back = control.blkback(disk.clone()).await;
                }
                restarts += 1;
            }
            assert_eq!(back.stats().violations, 0);
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            for cycle in 0..CYCLES {
                let front = own.blkfront().await.unwrap();
                let (sector, bytes) = (cycle % 64 * 8, content(cycle, 4096));
                front.write(sector, &bytes).await.unwrap();
                let mut found = vec![0; 4096];
                front.read(sector, &mut found).await.unwrap();
                assert_eq!(found, bytes);
                front.close().await;
            }
            own.reach("worked");
        },
        async |_| {},
    );
}
