//! Front and back ends find each other through xenstore, part, and find each other again.

mod domain;
mod machine;
mod support;
mod xenstored;

use std::future::poll_fn;
use std::task::Poll;

use machine::{back_path, run};
use morgana_hal::{
    Channel as _, DomId, Events as _, GrantRef, Memory as _, Pages as _, Platform as _, Port,
};
use morgana_netback as netback;
use morgana_netfront as netfront;
use morgana_netfront::{Config, ConnectError, Offload};
use morgana_xenbus::{State, XenbusError};
use support::{FRONT_PATH, ping};

const DRIVER: DomId = DomId::new(2);

#[test]
fn a_device_connects_works_and_closes() {
    for seed in 0..10 {
        run(
            seed,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let mut back = control.netback().await;
                control.echo(&mut back, "pinged").await;
                assert_eq!(control.states(DomId::DOM0).await, "44");
                assert!(back.is_connected());
                control.reach("checked");
                control.wait_for("closed").await;
                control.pause().await;
                assert_eq!(control.states(DomId::DOM0).await, "62");
                assert!(!back.is_connected());
                assert_eq!(back.stats().connections, 1);
                back.close().await;
                assert_eq!(control.states(DomId::DOM0).await, "66");
            },
            async |own| {
                own.wait_for("attached").await;
                let mut front = own.netfront().await.unwrap();
                assert_eq!(front.mac().to_string(), "00:16:3e:01:02:03");
                assert_eq!((front.ip_mtu(), front.max_frame()), (1500, 1514));
                assert_eq!(front.transmit_offload(), Offload::Both);
                ping(&own, &mut front, 100).await;
                own.reach("pinged");
                own.wait_for("checked").await;
                let stats = front.stats();
                assert_eq!((stats.tx_frames, stats.rx_frames), (100, 100));
                front.close().await;
                own.reach("closed");
            },
            async |_| {},
        );
    }
}

/// Linux's netback has its interrupt for a moment before it may do anything. If it finds frames in the ring then, it never ends the interrupt.
#[test]
fn a_back_end_finds_nothing_in_the_rings_before_it_has_connected() {
    run(
        0,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.offer_by_hand().await;
            control.reach("attached");
            control.wait_for("connecting").await;
            let read = async |key| {
                let path = format!("{FRONT_PATH}/{key}");
                control.client.read_number::<u32>(&path).await.unwrap()
            };
            let (front, platform) = (DomId::new(1), &control.platform);
            let port = Port::new(read("event-channel").await);
            let channel = platform.events().connect(front, port).unwrap();
            let rings = [read("tx-ring-ref").await, read("rx-ring-ref").await];
            let rings = rings.map(|ring| {
                let ring = [GrantRef::new(ring)];
                platform.memory().import(front, &ring).unwrap()
            });
            // `req_prod` (ring.h).
            let produced = || {
                rings.each_ref().map(|ring| {
                    let mut produced = [0; 4];
                    ring.region().read(0, &mut produced);
                    u32::from_le_bytes(produced)
                })
            };
            control.reach("bound");
            control.wait_for("sent").await;
            control.pause().await;
            // Xen makes an event of the binding.
            assert_eq!((channel.count(), produced()), (1, [0, 0]));
            control.write_back("state", "4").await;
            poll_fn(|cx| channel.poll_after(1, cx)).await;
            let [sent, offered] = produced();
            assert!(sent == 1 && offered > 0, "{sent}, {offered}");
            drop((channel, rings));
            control.reach("notified");
            control.wait_for("closing").await;
            control.write_back("state", "6").await;
        },
        async |own| {
            own.wait_for("attached").await;
            let mut front = own.netfront().await.unwrap();
            own.reach("connecting");
            own.wait_for("bound").await;
            let slot = front.transmit().unwrap();
            slot.send(60, |_| netfront::TxMeta::default());
            front.flush();
            own.reach("sent");
            own.wait_for("notified").await;
            own.reach("closing");
            front.close().await;
        },
        async |_| {},
    );
}

/// Linux's netback may lose its interrupt while it connects: then it takes nothing, until it is connected anew.
#[test]
fn a_back_end_that_takes_nothing_is_connected_anew() {
    run(
        0,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.offer_by_hand().await;
            control.reach("attached");
            control.wait_for("connecting").await;
            control.write_back("state", "4").await;
            // The front end closes, and is done once this end is closed, too.
            control.until_states_are("54").await;
            control.write_back("state", "6").await;
            control.until_states_are("66").await;
            let mut back = control.netback().await;
            control.echo(&mut back, "pinged").await;
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            let mut front = own.netfront().await.unwrap();
            own.reach("connecting");
            ping(&own, &mut front, 3).await;
            own.reach("pinged");
            let stats = front.stats();
            assert_eq!((stats.connections, stats.violations), (2, 0));
            front.close().await;
        },
        async |_| {},
    );
}

#[test]
fn a_device_has_as_many_queues_as_both_ends_like() {
    for (wanted, had) in [(1, 1), (2, 2), (4, 4), (9, 4)] {
        run(
            wanted as u64,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let mut back = control.netback().await;
                control.echo(&mut back, "pinged").await;
                back.close().await;
            },
            async move |own| {
                own.wait_for("attached").await;
                let config = Config {
                    queues: wanted,
                    ..Config::default()
                };
                let mut front = own.netfront_with(config).await.unwrap();
                let queues = "device/vif/0/multi-queue-num-queues";
                let queues: usize = own.client.read_text(queues).await.unwrap().parse().unwrap();
                assert_eq!(queues, had);
                ping(&own, &mut front, 20).await;
                own.reach("pinged");
                front.close().await;
            },
            async |_| {},
        );
    }
}

#[test]
fn a_front_end_comes_again() {
    for seed in 0..10 {
        run(
            seed,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let mut back = control.netback().await;
                control.echo(&mut back, "pinged").await;
                assert_eq!(back.stats().connections, 3);
                assert!(back.stats().in_frames >= 30);
                back.close().await;
            },
            async |own| {
                own.wait_for("attached").await;
                for _ in 0..2 {
                    let mut front = own.netfront().await.unwrap();
                    ping(&own, &mut front, 10).await;
                    front.close().await;
                }
                // One that is only dropped closes in the background.
                let mut front = own.netfront().await.unwrap();
                ping(&own, &mut front, 10).await;
                drop(front);
                own.pause().await;
                own.reach("pinged");
            },
            async |_| {},
        );
    }
}

#[test]
fn a_back_end_comes_again_and_the_device_goes_on() {
    for seed in 0..10 {
        run(
            seed,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let mut back = control.netback().await;
                control.echo(&mut back, "once").await;
                back.close().await;
                control.pause().await;
                let mut back = control.netback().await;
                control.echo(&mut back, "twice").await;
                back.close().await;
            },
            async |own| {
                own.wait_for("attached").await;
                let mut front = own.netfront().await.unwrap();
                ping(&own, &mut front, 10).await;
                own.reach("once");
                own.handle
                    .timers()
                    .sleep(std::time::Duration::from_secs(60))
                    .await;
                assert!(matches!(
                    front.parted(),
                    Some(netfront::Parted::PeerLeft(_))
                ));
                assert!(front.transmit().is_none() && front.receive().is_none());
                ping(&own, &mut front, 10).await;
                assert_eq!(front.parted(), None);
                let stats = front.stats();
                assert_eq!((stats.connections, stats.rx_frames), (2, 20));
                own.reach("twice");
                front.close().await;
            },
            async |_| {},
        );
    }
}

#[test]
fn the_toolstack_moves_a_device_to_another_driver_domain() {
    for seed in 0..10 {
        run(
            seed,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let mut back = control.netback().await;
                control.echo(&mut back, "once").await;
                back.close().await;
                control.attach(DRIVER).await;
                control
                    .client
                    .remove(&back_path(DomId::DOM0))
                    .await
                    .unwrap();
                control.reach("moved");
                control.wait_for("twice").await;
            },
            async |own| {
                own.wait_for("attached").await;
                let mut front = own.netfront().await.unwrap();
                ping(&own, &mut front, 10).await;
                own.reach("once");
                own.wait_for("moved").await;
                ping(&own, &mut front, 10).await;
                assert_eq!(front.stats().connections, 2);
                front.close().await;
                own.reach("twice");
            },
            async |driver| {
                driver.wait_for("moved").await;
                let mut back = driver.netback().await;
                driver.echo(&mut back, "twice").await;
                back.close().await;
            },
        );
    }
}

#[test]
fn the_toolstack_takes_a_device_away_and_brings_it_back() {
    for seed in 0..10 {
        run(
            seed,
            async |control| {
                control.attach(DomId::DOM0).await;
                control.reach("attached");
                let mut back = control.netback().await;
                control.echo(&mut back, "once").await;
                control.client.remove(FRONT_PATH).await.unwrap();
                control
                    .client
                    .remove(&back_path(DomId::DOM0))
                    .await
                    .unwrap();
                control.pause().await;
                assert_eq!(back.parted(), netback::Parted::Removed);
                assert!(!back.is_connected());
                drop(back);
                control.attach(DomId::DOM0).await;
                let mut back = control.netback().await;
                control.echo(&mut back, "twice").await;
                back.close().await;
            },
            async |own| {
                own.wait_for("attached").await;
                let mut front = own.netfront().await.unwrap();
                ping(&own, &mut front, 10).await;
                own.reach("once");
                ping(&own, &mut front, 200).await;
                own.handle
                    .timers()
                    .sleep(std::time::Duration::from_secs(60))
                    .await;
                ping(&own, &mut front, 10).await;
                assert_eq!(front.stats().connections, 2);
                front.close().await;
                own.reach("twice");
            },
            async |_| {},
        );
    }
}

#[test]
fn a_front_end_whose_keys_are_wrong_is_left_and_the_next_one_is_served() {
    run(
        0,
        async |control| {
            control.attach(DomId::DOM0).await;
            control.reach("attached");
            let mut back = control.netback().await;
            control.echo(&mut back, "pinged").await;
            assert_eq!(back.stats().connections, 1);
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            for (gref, port) in [("5000", "5000"), ("-1", "1"), ("8", "")] {
                for (key, value) in [
                    ("tx-ring-ref", gref),
                    ("rx-ring-ref", gref),
                    ("event-channel", port),
                    ("request-rx-copy", "1"),
                    ("state", "4"),
                ] {
                    let path = format!("device/vif/0/{key}");
                    own.client.write(&path, value).await.unwrap();
                }
                own.pause().await;
                assert_ne!(own.states(DomId::DOM0).await, "44");
            }
            // None, or more queues than are offered, and queues without keys.
            for queues in ["0", "5", "4294967297", "-1", "x", "2"] {
                for (key, value) in [("multi-queue-num-queues", queues), ("state", "4")] {
                    let path = format!("device/vif/0/{key}");
                    own.client.write(&path, value).await.unwrap();
                }
                own.pause().await;
                assert_ne!(own.states(DomId::DOM0).await, "44");
            }
            let mut front = own.netfront().await.unwrap();
            ping(&own, &mut front, 10).await;
            front.close().await;
            own.reach("pinged");
        },
        async |_| {},
    );
}

#[test]
fn a_front_end_without_device_or_with_a_wrong_one_says_so() {
    run(
        0,
        async |control| {
            control.attach(DomId::DOM0).await;
            let mac = format!("{FRONT_PATH}/mac");
            control.client.write(&mac, "00:16:3e").await.unwrap();
            control.reach("wrong");
            control.wait_for("told").await;
            control.client.remove(FRONT_PATH).await.unwrap();
            control.reach("removed");
        },
        async |own| {
            own.wait_for("wrong").await;
            let error = own.netfront().await.unwrap_err();
            assert_eq!(
                error.to_string(),
                "device/vif/0/mac: the value is none that is known"
            );
            own.reach("told");
            own.wait_for("removed").await;
            let error = own.netfront().await.unwrap_err();
            assert_eq!(error, ConnectError::Xenbus(XenbusError::Removed));
        },
        async |_| {},
    );
}

#[test]
fn a_back_end_that_dies_is_not_waited_for() {
    run(
        0,
        async |control| {
            control.attach(DRIVER).await;
            control.reach("attached");
            control.wait_for("dead").await;
            // The toolstack cleans up after a dead driver domain, and makes another one ready.
            control.client.remove(&back_path(DRIVER)).await.unwrap();
            control.reach("cleaned");
            control.wait_for("seen").await;
            control.attach(DomId::DOM0).await;
            let mut back = control.netback().await;
            control.echo(&mut back, "pinged").await;
            back.close().await;
        },
        async |own| {
            own.wait_for("attached").await;
            let mut front = own.netfront().await.unwrap();
            ping(&own, &mut front, 10).await;
            own.reach("once");
            own.wait_for("cleaned").await;
            own.pause().await;
            let gone = netfront::Parted::PeerLeft(State::Unknown);
            assert_eq!(front.parted(), Some(gone));
            own.reach("seen");
            ping(&own, &mut front, 10).await;
            front.close().await;
            own.reach("pinged");
        },
        async |driver| {
            driver.wait_for("attached").await;
            let mut back = driver.netback().await;
            driver.echo(&mut back, "once").await;
            assert_eq!(driver.states(DRIVER).await, "44");
            driver.reach("dead");
            // It ends without a word: its tasks are dropped with it.
        },
    );
}

#[test]
fn a_device_that_is_taken_away_before_a_front_end_came_tells_its_user() {
    run(
        0,
        async |control| {
            control.attach(DomId::DOM0).await;
            let mut back = control.netback().await;
            let path = back_path(DomId::DOM0);
            let wait = std::future::poll_fn(|cx| match back.parted() {
                netback::Parted::Removed => Poll::Ready(()),
                _ => back.poll_ready(cx),
            });
            // First the user waits, then the device goes.
            let removed = async {
                control.pause().await;
                control.client.remove(&path).await.unwrap();
            };
            morgana_exec::join(wait, removed).await;
            assert_eq!(back.stats().connections, 0);
        },
        async |_| {},
        async |_| {},
    );
}
