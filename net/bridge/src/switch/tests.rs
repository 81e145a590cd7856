extern crate std;

use super::*;
use proptest::prelude::*;
use std::vec::Vec;

const A: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const B: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const ALL: MacAddr = MacAddr([0xff; 6]);
const PORTS: [PortId; 3] = [PortId(0), PortId(1), PortId(2)];

fn frame(to: MacAddr, from: MacAddr) -> [u8; 60] {
    let mut frame = [0; 60];
    frame[..6].copy_from_slice(&to.0);
    frame[6..12].copy_from_slice(&from.0);
    frame
}

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

fn small() -> Switch {
    Switch::new(&Config {
        addresses: 8,
        addresses_of_a_port: 4,
        ..Config::default()
    })
}

#[test]
fn a_station_is_learned_moves_and_is_forgotten() {
    let mut switch = small();
    let mut decide =
        |port, to, from, time| switch.decide(PORTS[port], Sources::Any, &frame(to, from), at(time));
    assert_eq!(decide(0, B, A, 0), Decision::ToOthers);
    assert_eq!(decide(1, A, B, 1), Decision::To(PORTS[0]));
    assert_eq!(decide(0, B, A, 2), Decision::To(PORTS[1]));
    assert_eq!(decide(0, A, B, 3), Decision::Stays);
    assert_eq!(decide(2, B, A, 4), Decision::To(PORTS[0]));
    assert_eq!(decide(1, ALL, B, 5), Decision::ToOthers);
    assert_eq!(decide(1, A, B, 303), Decision::To(PORTS[2]));
    assert_eq!(decide(1, A, B, 304), Decision::ToOthers);
    switch.end(PORTS[1]);
    let after = switch.decide(PORTS[0], Sources::Any, &frame(B, A), at(305));
    assert_eq!(after, Decision::ToOthers);
}

#[test]
fn what_is_no_frame_for_others_goes_nowhere() {
    let mut switch = small();
    let mut decide = |frame: &[u8]| switch.decide(PORTS[0], Sources::Any, frame, at(0));
    let malformed = Decision::Refused(Refusal::Malformed);
    assert_eq!(decide(&[]), malformed);
    assert_eq!(decide(&frame(B, A)[..13]), malformed);
    assert_eq!(decide(&frame(B, ALL)), malformed);
    assert_eq!(decide(&frame(B, MacAddr([0; 6]))), malformed);
    let pause = MacAddr([1, 0x80, 0xc2, 0, 0, 1]);
    assert_eq!(
        decide(&frame(pause, A)),
        Decision::Refused(Refusal::Reserved)
    );
    let other = MacAddr([1, 0x80, 0xc2, 0, 0, 0x10]);
    assert_eq!(decide(&frame(other, A)), Decision::ToOthers);
}

#[test]
fn nobody_takes_over_an_address_that_belongs_to_a_port() {
    let mut switch = small();
    let spoofed = Decision::Refused(Refusal::Spoofed);
    // Heard elsewhere before its owner came.
    switch.decide(PORTS[1], Sources::Any, &frame(B, A), at(0));
    switch.begin(PORTS[0], Sources::Only(A), at(0)).unwrap();
    assert_eq!(
        switch.begin(PORTS[2], Sources::Only(A), at(0)),
        Err(Refusal::Spoofed)
    );
    let mut decide =
        |port, sources, from| switch.decide(PORTS[port], sources, &frame(A, from), at(1000));
    assert_eq!(decide(1, Sources::Any, A), spoofed);
    assert_eq!(decide(0, Sources::Only(A), B), spoofed);
    assert_eq!(decide(0, Sources::Only(A), A), Decision::Stays);
    assert_eq!(decide(1, Sources::Any, B), Decision::To(PORTS[0]));
    switch.end(PORTS[0]);
    let after = switch.decide(PORTS[1], Sources::Any, &frame(B, A), at(1000));
    assert_eq!(after, Decision::Stays);
}

#[test]
fn a_full_table_learns_no_more_until_somebody_is_silent_for_long() {
    let mut switch = small();
    let station = |n: u8| MacAddr([2, 0, 0, 0, 1, n]);
    for n in 0..6 {
        switch.decide(PORTS[0], Sources::Any, &frame(ALL, station(n)), at(0));
    }
    assert_eq!((switch.addresses(), switch.unlearned()), (4, 2));
    let mut decide =
        |port, to, from, time| switch.decide(PORTS[port], Sources::Any, &frame(to, from), at(time));
    assert_eq!(decide(1, station(5), B, 1), Decision::ToOthers);
    assert_eq!(decide(0, ALL, station(5), 301), Decision::ToOthers);
    assert_eq!(decide(1, station(5), B, 302), Decision::To(PORTS[0]));
}

#[test]
fn a_station_that_moves_behind_a_full_port_is_not_looked_for_where_it_was() {
    let mut switch = small();
    let station = |n: u8| MacAddr([2, 0, 0, 0, 1, n]);
    switch.decide(PORTS[1], Sources::Any, &frame(ALL, B), at(0));
    for n in 0..4 {
        switch.decide(PORTS[0], Sources::Any, &frame(ALL, station(n)), at(0));
    }
    switch.decide(PORTS[0], Sources::Any, &frame(ALL, B), at(1));
    let decision = switch.decide(PORTS[2], Sources::Any, &frame(B, A), at(1));
    assert_eq!(decision, Decision::ToOthers);
}

proptest! {
    /// Against a model that remembers everything: a frame goes to where its destination was heard last, if the switch knows it, and never
    /// back. The table keeps its limits, whatever comes.
    #[test]
    fn frames_go_where_their_station_was_heard_last(
        steps in prop::collection::vec((0..3usize, 0..12u8, 0..12u8, 0..200u64), 1..200)
    ) {
        let mut switch = small();
        let owned = MacAddr([2, 0, 0, 0, 0, 0]);
        switch.begin(PORTS[2], Sources::Only(owned), at(0)).unwrap();
        let mut heard: Vec<(MacAddr, PortId)> = std::vec![(owned, PORTS[2])];
        let mut time = 0;
        for (port, to, from, wait) in steps {
            time += wait;
            let [to, from] = [to, from].map(|n| MacAddr([2, 0, 0, 0, 0, n]));
            let port = PORTS[port];
            let sources = if port == PORTS[2] { Sources::Only(owned) } else { Sources::Any };
            let decision = switch.decide(port, sources, &frame(to, from), at(time));
            if (from == owned) != (port == PORTS[2]) {
                prop_assert_eq!(decision, Decision::Refused(Refusal::Spoofed));
                continue;
            }
            heard.retain(|(mac, _)| *mac != from);
            heard.push((from, port));
            let place = heard.iter().find(|(mac, _)| *mac == to).map(|(_, port)| *port);
            match decision {
                Decision::To(there) => {
                    prop_assert_eq!(Some(there), place);
                    prop_assert_ne!(there, port);
                }
                Decision::Stays => prop_assert_eq!(place, Some(port)),
                Decision::ToOthers => prop_assert_ne!(to, owned),
                Decision::Refused(_) => prop_assert!(false),
            }
            prop_assert!(switch.addresses() <= 8);
        }
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut switch = small();
        switch.decide(PORTS[0], Sources::Any, &bytes, at(0));
    }
}
