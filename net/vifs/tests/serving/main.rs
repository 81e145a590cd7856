//! A driver domain with guests that come, talk, break the rules, and go.

#[path = "../../../../drivers/netback/tests/handshake/domain.rs"]
mod domain;
mod support;
#[path = "../../../../drivers/netback/tests/handshake/xenstored.rs"]
mod xenstored;

use std::time::Duration;

use morgana_hal::DomId;
use morgana_net_device::MacAddr;
use support::{Machine, mac, paths};

const A: DomId = DomId::new(2);
const B: DomId = DomId::new(3);
const ALL: MacAddr = MacAddr([0xff; 6]);

#[test]
fn guests_talk_to_each_other_and_nobody_pretends_to_be_another() {
    for seed in 0..10 {
        let mut machine = Machine::new(seed, async |own| {
            own.attach(A, 0).await;
            own.attach(B, 0).await;
            own.reach("attached");
            own.wait_for("a is done").await;
            own.wait_for("b is done").await;
            own.detach(A, 0).await;
            own.clean_up(B, 0).await;
            own.reach("end");
        });
        machine.add(async |own| {
            own.wait_for("home").await;
            let before = own.usage();
            own.serve("end", async |vifs| {
                assert!(vifs.stats().is_empty());
                assert_eq!(own.usage(), before);
            })
            .await;
        });
        machine.add(async |own| {
            own.wait_for("attached").await;
            let mut front = own.front(0).await;
            for byte in 0..20 {
                front.ping(mac(B, 0), byte).await;
            }
            front.send(ALL, mac(B, 0), 99);
            front.send(ALL, mac(A, 0), 100);
            own.wait_for("100 came").await;
            own.reach("a is done");
            front.device.close().await;
        });
        machine.add(async |own| {
            own.wait_for("attached").await;
            let mut front = own.front(0).await;
            loop {
                match front.next().await {
                    Some((_, 100)) => break,
                    Some((from, byte)) => {
                        assert_eq!(from, mac(A, 0));
                        assert_ne!(byte, 99, "a frame from a borrowed address came");
                        front.send(from, mac(B, 0), byte);
                    }
                    None => {}
                }
            }
            own.reach("100 came");
            own.reach("b is done");
            // It ends without a word.
        });
        machine.run();
    }
}

#[test]
fn interfaces_are_attached_and_detached_while_others_work() {
    let mut machine = Machine::new(7, async |own| {
        own.attach(A, 0).await;
        own.attach(B, 0).await;
        own.reach("attached");
        for _ in 0..5 {
            own.attach(B, 1).await;
            own.sleep(5).await;
            own.detach(B, 1).await;
        }
        own.reach("a may end");
        own.wait_for("a is done").await;
        own.reach("b may end");
        own.clean_up(A, 0).await;
        own.clean_up(B, 0).await;
        own.reach("end");
    });
    machine.add(async |own| {
        own.wait_for("home").await;
        let before = own.usage();
        own.serve("end", async |_| assert_eq!(own.usage(), before))
            .await;
    });
    machine.add(async |own| {
        own.wait_for("attached").await;
        let mut front = own.front(0).await;
        let mut byte = 0;
        loop {
            byte = (byte + 1) % 100;
            front.ping(mac(B, 0), byte).await;
            let timers = own.handle.timers();
            let done = own.wait_for("a may end");
            if timers
                .timeout(Duration::from_millis(10), done)
                .await
                .is_ok()
            {
                break;
            }
        }
        assert_eq!(front.device.stats().connections, 1);
        own.reach("a is done");
    });
    machine.add(async |own| {
        own.wait_for("attached").await;
        let mut front = own.front(0).await;
        front.answer("b may end").await;
    });
    machine.run();
}

#[test]
fn a_front_end_may_vanish_in_any_state() {
    for state in 1..=8 {
        let mut machine = Machine::new(state, async move |own| {
            for _ in 0..3 {
                own.attach(A, 0).await;
                own.sleep(2).await;
                let (front, _) = paths(A, 0);
                own.client
                    .write(&format!("{front}/state"), state.to_string())
                    .await
                    .unwrap();
                own.sleep(3).await;
                own.clean_up(A, 0).await;
            }
            own.reach("end");
        });
        machine.add(async |own| {
            own.wait_for("home").await;
            let before = own.usage();
            own.serve("end", async |vifs| {
                assert!(vifs.stats().is_empty());
                assert_eq!(own.usage(), before);
            })
            .await;
        });
        machine.run();
    }
}

#[test]
fn a_front_end_that_breaks_the_protocol_costs_its_own_port() {
    let mut machine = Machine::new(3, async |own| {
        own.attach(A, 0).await;
        own.attach(B, 0).await;
        own.attach(B, 1).await;
        own.reach("attached");
        own.wait_for("a is done").await;
        for (guest, index) in [(A, 0), (B, 0), (B, 1)] {
            own.clean_up(guest, index).await;
        }
        own.reach("end");
    });
    machine.add(async |own| {
        own.wait_for("home").await;
        let before = own.usage();
        own.serve("end", async |_| assert_eq!(own.usage(), before))
            .await;
    });
    machine.add(async |own| {
        own.wait_for("attached").await;
        let mut front = own.front(0).await;
        front.ping(mac(B, 0), 1).await;
        own.reach("break");
        own.wait_for("broken").await;
        for byte in 2..20 {
            front.ping(mac(B, 0), byte).await;
            own.sleep(1).await;
        }
        assert_eq!(front.device.stats().connections, 1);
        own.reach("a is done");
    });
    machine.add(async |own| {
        own.wait_for("attached").await;
        let mut front = own.front(0).await;
        let answers = async {
            own.wait_for("break").await;
            let (path, _) = paths(B, 1);
            // Rings that are none, on a port that is none.
            for (key, value) in [
                ("tx-ring-ref", "5000"),
                ("rx-ring-ref", "5000"),
                ("event-channel", "77"),
                ("request-rx-copy", "1"),
                ("state", "4"),
            ] {
                own.client
                    .write(&format!("{path}/{key}"), value)
                    .await
                    .unwrap();
            }
            own.sleep(2).await;
            own.reach("broken");
        };
        morgana_exec::join(answers, front.answer("a is done")).await;
    });
    machine.run();
}
