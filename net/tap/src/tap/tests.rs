//! Over a pair of sockets that keep the bounds of messages, in place of a kernel's interface.

use super::*;
use core::task::Waker;
use morgana_net_device::RxChecksum;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::os::fd::AsFd;

fn pair() -> (Reactor, Tap, OwnedFd) {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (ours, kernel) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    let (wake, _) = std::os::unix::net::UnixStream::pair().unwrap();
    let reactor = Reactor::new(wake.as_fd()).unwrap();
    let tap = Tap::new(&reactor, ours, 1500).unwrap();
    (reactor, tap, kernel)
}

#[test]
fn frames_go_both_ways_with_their_header() {
    let (reactor, mut tap, kernel) = pair();
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(tap.receive().is_none() && tap.poll_ready(cx).is_pending());
    let mut sent = vec![0; HEADER_BYTES + 60];
    sent[0] = 2;
    sent[HEADER_BYTES..].fill(7);
    rustix::io::write(&kernel, &sent).unwrap();
    // A header alone, and a header cut off.
    rustix::io::write(&kernel, &sent[..HEADER_BYTES]).unwrap();
    rustix::io::write(&kernel, &sent[..4]).unwrap();
    reactor.wait(None);
    assert!(tap.poll_ready(cx).is_ready());
    let mut frame = tap.receive().unwrap();
    assert_eq!(frame.meta(), RxChecksum::Validated.into());
    assert_eq!(frame.bytes(), [7; 60]);
    assert_eq!(tap.receive().unwrap().bytes(), []);
    assert!(tap.receive().is_none() && tap.poll_ready(cx).is_pending());

    tap.transmit().unwrap().send(60, |frame| {
        frame.fill(9);
        TxMeta::default()
    });
    let mut received = [0; 100];
    let len = rustix::io::read(&kernel, &mut received).unwrap();
    assert_eq!(received[..HEADER_BYTES], [0; HEADER_BYTES]);
    assert_eq!(received[HEADER_BYTES..len], [9; 60]);
}

#[test]
fn what_the_kernel_does_not_take_is_lost_and_counted() {
    let (_reactor, mut tap, kernel) = pair();
    for _ in 0..10_000 {
        let slot = tap.transmit().expect("there is always room");
        slot.send(1000, |_| TxMeta::default());
    }
    assert!(tap.lost() > 0);
    drop(kernel);
    let lost = tap.lost();
    tap.transmit().unwrap().send(60, |_| TxMeta::default());
    assert_eq!(tap.lost(), lost + 1);
}
