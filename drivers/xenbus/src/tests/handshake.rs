//! From the toolstack's keys to two ends that are connected.

use super::std;
use super::{BACK_DIR, FRONT, FRONT_DIR, with_vif};
use alloc::vec;
use std::format;
use std::string::ToString;

use morgana_exec::{Either, join, select, yield_now};
use morgana_hal::DomId;
use morgana_xenstore_client::{KeyError, Problem};

use crate::{BackendAddress, Device, Event, Role, State, XenbusError, backends, frontends};

const VIF: BackendAddress = BackendAddress {
    frontend: FRONT,
    index: 0,
};

#[test]
fn both_ends_find_together_and_tell_of_changes() {
    with_vif(|store, handle| async move {
        let (front_client, back_client) = (store.client(FRONT), store.client(DomId::DOM0));
        assert_eq!(frontends(&front_client, "vif").await, Ok(vec![0]));
        assert_eq!(frontends(&front_client, "vbd").await, Ok(vec![]));
        assert_eq!(backends(&back_client, "vif").await, Ok(vec![VIF]));

        let timers = handle.timers();
        let toolstack = store.clone();
        let front = async move {
            let device = Device::frontend(&front_client, "vif", 0).await.unwrap();
            assert_eq!(
                (device.role(), device.peer_domain()),
                (Role::Frontend, DomId::DOM0)
            );
            device.begin(&timers).await.unwrap();
            device.wait_for(&[State::InitWait]).await.unwrap();
            assert_eq!(device.peer_number_or("feature-rx-copy", 0u8).await, Ok(1));
            assert_eq!(device.peer_number_or("feature-unknown", 0u8).await, Ok(0));
            let flags = device.peer_flags(&["feature-rx-copy", "feature-unknown"]);
            let flags = flags.await.unwrap();
            assert!(flags.is_set("feature-rx-copy") && !flags.is_set("feature-unknown"));
            assert_eq!(device.is_in(State::InitWait).await, Ok(true));
            let keys = [
                ("tx-ring-ref", "8".to_string()),
                ("queue-0/x", "y".to_string()),
            ];
            device.publish(State::Connected, &keys).await.unwrap();
            device.wait_for(&[State::Connected]).await.unwrap();
            assert_eq!(device.next().await, Ok(Event::Peer(State::Reconfiguring)));
            assert_eq!(device.next().await, Ok(Event::Peer(State::Unknown)));
            assert_eq!(device.next().await, Ok(Event::Peer(State::InitWait)));
            assert_eq!(device.next().await, Ok(Event::Moved));
            assert_eq!(device.next().await, Ok(Event::Removed));
        };
        let back = async move {
            let device = Device::backend(&back_client, "vif", VIF).await.unwrap();
            assert_eq!(device.peer_domain(), FRONT);
            let keys = [("feature-rx-copy", "1".to_string())];
            device.publish(State::InitWait, &keys).await.unwrap();
            device
                .wait_for(&[State::Initialised, State::Connected])
                .await
                .unwrap();
            assert_eq!(device.peer_number("tx-ring-ref").await, Ok(8u32));
            assert_eq!(device.peer_text("queue-0/x").await.unwrap(), "y");
            assert_eq!(device.is_online().await, Ok(true));
            let plug = async {
                for status in ["busy", "connected"] {
                    yield_now().await;
                    toolstack.put(&(BACK_DIR.to_string() + "/hotplug-status"), status);
                }
            };
            let (ready, ()) = join(device.wait_for_hotplug(), plug).await;
            ready.unwrap();
            device.switch(State::Connected).await.unwrap();
            for _ in 0..200 {
                yield_now().await;
            }
            device.switch(State::Reconfiguring).await.unwrap();
            for _ in 0..200 {
                yield_now().await;
            }
            // The driver domain dies, comes back, and is replaced; the device is taken away.
            toolstack.remove(BACK_DIR);
            for _ in 0..200 {
                yield_now().await;
            }
            toolstack.put(&(BACK_DIR.to_string() + "/state"), "2");
            for _ in 0..200 {
                yield_now().await;
            }
            toolstack.put(
                &(FRONT_DIR.to_string() + "/backend"),
                "/local/domain/9/backend/vif/3/0",
            );
            for _ in 0..200 {
                yield_now().await;
            }
            toolstack.remove(FRONT_DIR);
            assert_eq!(
                device.publish(State::Connected, &[]).await,
                Err(XenbusError::Removed)
            );
            assert_eq!(device.wait_for_hotplug().await, Err(XenbusError::Removed));
        };
        join(front, back).await;
        assert_eq!(store.text(&(FRONT_DIR.to_string() + "/state")), None);
    });
}

#[test]
fn a_device_that_is_not_there_is_removed() {
    with_vif(|store, _| async move {
        let client = store.client(FRONT);
        let opened = Device::frontend(&client, "vif", 1).await;
        assert_eq!(opened.err(), Some(XenbusError::Removed));
    });
}

#[test]
fn wrong_keys_are_named() {
    for (directory, key, value, problem) in [
        (FRONT_DIR, "backend", "relative/path", Problem::Unknown),
        (FRONT_DIR, "backend", "//", Problem::Unknown),
        (FRONT_DIR, "backend-id", "65536", Problem::NotANumber),
        (FRONT_DIR, "backend-id", "zero", Problem::NotANumber),
    ] {
        with_vif(|store, _| async move {
            store.put(&format!("{directory}/{key}"), value);
            let opened = Device::frontend(&store.client(FRONT), "vif", 0).await;
            let path = format!("device/vif/0/{key}");
            let expected = XenbusError::Key(KeyError::new(&path, problem));
            assert_eq!(opened.err(), Some(expected));
        });
    }
    with_vif(|store, _| async move {
        store.put(&format!("{BACK_DIR}/frontend-id"), "4");
        let opened = Device::backend(&store.client(DomId::DOM0), "vif", VIF).await;
        let error = KeyError::new("backend/vif/3/0/frontend-id", Problem::Unknown);
        assert_eq!(opened.err(), Some(XenbusError::Key(error)));
    });
}

#[test]
fn a_peer_that_ends_or_has_a_state_of_its_own_invention_is_an_error() {
    for (state, expected) in [
        ("5", Err(XenbusError::PeerEnding(State::Closing))),
        ("6", Err(XenbusError::PeerEnding(State::Closed))),
        ("0", Err(XenbusError::PeerEnding(State::Unknown))),
        ("4", Ok(State::Connected)),
        (
            "9",
            Err(XenbusError::Key(KeyError::new(
                &format!("{BACK_DIR}/state"),
                Problem::Unknown,
            ))),
        ),
        (
            "up",
            Err(XenbusError::Key(KeyError::new(
                &format!("{BACK_DIR}/state"),
                Problem::NotANumber,
            ))),
        ),
    ] {
        with_vif(|store, _| async move {
            let client = store.client(FRONT);
            let device = Device::frontend(&client, "vif", 0).await.unwrap();
            let change = async {
                for _ in 0..100 {
                    yield_now().await;
                }
                store.put(&format!("{BACK_DIR}/state"), state);
            };
            let (waited, ()) = join(device.wait_for(&[State::Connected]), change).await;
            assert_eq!(waited, expected);
        });
    }
}

#[test]
fn a_hotplug_script_may_fail() {
    with_vif(|store, _| async move {
        store.put(&format!("{BACK_DIR}/hotplug-status"), "error");
        let client = store.client(DomId::DOM0);
        let device = Device::backend(&client, "vif", VIF).await.unwrap();
        assert_eq!(device.wait_for_hotplug().await, Err(XenbusError::Hotplug));
    });
}

#[test]
fn names_that_are_no_numbers_are_no_devices() {
    with_vif(|store, _| async move {
        for name in ["x", "01", "-1", "4294967296", "12"] {
            store.put(&format!("/local/domain/3/device/vif/{name}/state"), "1");
        }
        assert_eq!(
            frontends(&store.client(FRONT), "vif").await,
            Ok(vec![0, 12])
        );
    });
}

#[test]
fn nothing_new_is_not_an_event() {
    with_vif(|store, _| async move {
        let client = store.client(FRONT);
        let device = Device::frontend(&client, "vif", 0).await.unwrap();
        assert_eq!(device.next().await, Ok(Event::Peer(State::Initialising)));
        store.put(&format!("{BACK_DIR}/state"), "1");
        store.put(&format!("{FRONT_DIR}/backend"), BACK_DIR);
        let pause = async {
            for _ in 0..500 {
                yield_now().await;
            }
        };
        assert_eq!(select(device.next(), pause).await, Either::Second(()));
    });
}
