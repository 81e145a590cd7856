//! Parting, with a peer that plays along and with one that does not.

use super::std;
use super::{BACK_DIR, FRONT, FRONT_DIR, with_vif};
use std::string::{String, ToString};

use morgana_exec::join;
use morgana_hal::DomId;

use crate::{BackendAddress, Device, Event, Farewell, State};

const VIF: BackendAddress = BackendAddress {
    frontend: FRONT,
    index: 0,
};

fn state_of(directory: &str) -> String {
    directory.to_string() + "/state"
}

/// A back end that follows its front end's closing.
async fn follow(device: Device) {
    loop {
        match device.next().await.unwrap() {
            Event::Peer(State::Closing) => device.switch(State::Closing).await.unwrap(),
            Event::Peer(State::Closed) => return device.switch(State::Closed).await.unwrap(),
            Event::Peer(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn both_ends_close() {
    with_vif(|store, handle| async move {
        store.put(&state_of(FRONT_DIR), "4");
        store.put(&state_of(BACK_DIR), "4");
        let (front, back) = (store.client(FRONT), store.client(DomId::DOM0));
        let front = Device::frontend(&front, "vif", 0).await.unwrap();
        let back = Device::backend(&back, "vif", VIF).await.unwrap();
        let (farewell, ()) = join(front.close(&handle.timers()), follow(back)).await;
        assert_eq!(farewell, Ok(Farewell::Agreed));
        assert_eq!(store.text(&state_of(FRONT_DIR)).unwrap(), "6");
        assert_eq!(store.text(&state_of(BACK_DIR)).unwrap(), "6");
        assert_eq!(handle.timers().now().as_millis(), 0);
    });
}

#[test]
fn a_peer_that_does_not_answer_is_left_after_a_while() {
    with_vif(|store, handle| async move {
        store.put(&state_of(BACK_DIR), "4");
        let client = store.client(FRONT);
        let device = Device::frontend(&client, "vif", 0).await.unwrap();
        let timers = handle.timers();
        assert_eq!(device.close(&timers).await, Ok(Farewell::Unanswered));
        assert_eq!(timers.now().as_millis(), 10_000);
        assert_eq!(store.text(&state_of(FRONT_DIR)).unwrap(), "6");
    });
}

#[test]
fn a_peer_whose_state_is_nonsense_does_not_keep_us_from_closing() {
    with_vif(|store, handle| async move {
        store.put(&state_of(FRONT_DIR), "4");
        store.put(&state_of(BACK_DIR), "up");
        let client = store.client(FRONT);
        let device = Device::frontend(&client, "vif", 0).await.unwrap();
        let timers = handle.timers();
        assert_eq!(device.close(&timers).await, Ok(Farewell::Unanswered));
        assert_eq!(store.text(&state_of(FRONT_DIR)).unwrap(), "6");
    });
}

#[test]
fn a_device_that_is_gone_is_closed_and_stays_gone() {
    with_vif(|store, handle| async move {
        let client = store.client(FRONT);
        let device = Device::frontend(&client, "vif", 0).await.unwrap();
        store.remove(FRONT_DIR);
        assert_eq!(device.close(&handle.timers()).await, Ok(Farewell::Agreed));
        assert_eq!(store.text(&state_of(FRONT_DIR)), None);
    });
}

#[test]
fn a_device_that_was_left_connected_is_closed_before_it_begins() {
    with_vif(|store, handle| async move {
        store.put(&state_of(FRONT_DIR), "4");
        store.put(&state_of(BACK_DIR), "4");
        let (front, back) = (store.client(FRONT), store.client(DomId::DOM0));
        let front = Device::frontend(&front, "vif", 0).await.unwrap();
        let back = Device::backend(&back, "vif", VIF).await.unwrap();
        let (begun, ()) = join(front.begin(&handle.timers()), follow(back)).await;
        assert_eq!(begun, Ok(()));
        assert_eq!(store.text(&state_of(FRONT_DIR)).unwrap(), "1");
        assert_eq!(store.text(&state_of(BACK_DIR)).unwrap(), "6");
    });
}
