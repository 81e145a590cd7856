//! Byte rings: both sides on one executor, and a peer that writes anything.

use super::std::prelude::v1::*;
use alloc::rc::Rc;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use morgana_exec::{Executor, ManualClock, Notify, join};
use morgana_hal::{ByteStream, Channel, LocalPages, Pages, Port, StreamError};
use proptest::prelude::*;

use crate::{ByteLayout, RingError, RingStream, Side};

/// One end of an event channel inside the test.
struct Wire {
    own: Rc<Notify>,
    peer: Rc<Notify>,
}

impl Channel for Wire {
    fn port(&self) -> Port {
        Port::new(1)
    }

    fn notify(&self) {
        self.peer.notify();
    }

    fn count(&self) -> u64 {
        self.own.count()
    }

    fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        self.own.poll_after(seen, cx)
    }
}

type Stream = RingStream<LocalPages, Wire>;

fn pair(layout: ByteLayout, index: u32) -> (Rc<Stream>, Rc<Stream>, LocalPages) {
    let pages = LocalPages::new(1);
    for lane in [layout.from_guest, layout.to_guest] {
        pages.region().store_u32(lane.consumer, index);
        pages.region().store_u32(lane.producer, index);
    }
    let (a, b) = (Rc::new(Notify::new()), Rc::new(Notify::new()));
    let guest = Wire {
        own: a.clone(),
        peer: b.clone(),
    };
    let server = Wire { own: b, peer: a };
    (
        Rc::new(RingStream::attach(pages.clone(), guest, layout, Side::Guest).unwrap()),
        Rc::new(RingStream::attach(pages.clone(), server, layout, Side::Server).unwrap()),
        pages,
    )
}

async fn write_all(stream: &Stream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let len = poll_fn(|cx| stream.poll_write(cx, bytes)).await.unwrap();
        bytes = &bytes[len..];
    }
}

async fn read_exactly(stream: &Stream, len: usize, step: usize) -> Vec<u8> {
    let mut read = vec![0; len];
    let mut at = 0;
    while at < len {
        let end = len.min(at + step);
        at += poll_fn(|cx| stream.poll_read(cx, &mut read[at..end]))
            .await
            .unwrap();
    }
    read
}

fn noop<T>(poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
    poll(&mut Context::from_waker(Waker::noop()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 64 }))]

    #[test]
    fn both_directions_carry_all_bytes_in_order(
        console in any::<bool>(),
        index in prop_oneof![Just(0), (u32::MAX - 5000)..=u32::MAX],
        len in 1usize..9000,
        step in 1usize..3000,
    ) {
        let layout = if console { ByteLayout::CONSOLE } else { ByteLayout::XENSTORE };
        let (guest, server, pages) = pair(layout, index);
        let up: Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
        let down: Vec<u8> = (0..len).map(|i| (i * 13 + i / 241) as u8).collect();
        let clock = ManualClock::default();
        let sent = (up.clone(), down.clone());
        // ManualIdle panics when nothing can happen any more: a notification that is missing fails the test.
        let got = Executor::new().block_on(async move {
            let writing = join(write_all(&guest, &sent.0), write_all(&server, &sent.1));
            let reading = join(read_exactly(&server, len, step), read_exactly(&guest, len, step));
            join(writing, reading).await.1
        }, &mut clock.idle(), &clock);
        prop_assert_eq!(got, (up, down));
        let end = index.wrapping_add(len as u32);
        for lane in [layout.from_guest, layout.to_guest] {
            prop_assert_eq!(pages.region().load_u32(lane.consumer), end);
            prop_assert_eq!(pages.region().load_u32(lane.producer), end);
        }
    }

    #[test]
    fn any_page_content_gives_bytes_or_an_error(
        server in any::<bool>(),
        steps in prop::collection::vec((0u8..3, 2048usize / 4..4096 / 4, prop_oneof![0u32..3000, any::<u32>()]), 1..crate::tests::steps(100)),
    ) {
        let (guest_end, server_end, pages) = pair(ByteLayout::CONSOLE, 0);
        let stream = if server { server_end } else { guest_end };
        let mut broken = false;
        for (what, word, value) in steps {
            match what {
                0 => pages.region().store_u32(word * 4, value),
                1 => {
                    let mut buffer = [0; 100];
                    let result = noop(|cx| stream.poll_read(cx, &mut buffer));
                    prop_assert!(!broken || result == Poll::Ready(Err(StreamError::BadIndices)));
                    broken |= matches!(result, Poll::Ready(Err(_)));
                }
                _ => {
                    let result = noop(|cx| stream.poll_write(cx, &[1; 100]));
                    prop_assert!(!broken || result == Poll::Ready(Err(StreamError::BadIndices)));
                    broken |= matches!(result, Poll::Ready(Err(_)));
                }
            }
        }
    }
}

#[test]
fn a_full_lane_waits_for_room_and_a_drained_one_is_known() {
    let (guest, server, _) = pair(ByteLayout::CONSOLE, 0);
    assert_eq!(noop(|cx| guest.poll_drained(cx)), Poll::Ready(Ok(())));
    assert_eq!(
        noop(|cx| guest.poll_write(cx, &[5; 4000])),
        Poll::Ready(Ok(2048))
    );
    assert_eq!(noop(|cx| guest.poll_write(cx, &[5; 1])), Poll::Pending);
    assert_eq!(noop(|cx| guest.poll_drained(cx)), Poll::Pending);
    let mut buffer = [0; 3000];
    assert_eq!(
        noop(|cx| server.poll_read(cx, &mut buffer)),
        Poll::Ready(Ok(2048))
    );
    assert!(buffer[..2048].iter().all(|&byte| byte == 5));
    assert_eq!(noop(|cx| guest.poll_drained(cx)), Poll::Ready(Ok(())));
    assert_eq!(noop(|cx| server.poll_read(cx, &mut buffer)), Poll::Pending);
    assert_eq!(noop(|cx| server.poll_read(cx, &mut [])), Poll::Ready(Ok(0)));
}

#[test]
fn impossible_indices_end_the_stream_for_good() {
    let layout = ByteLayout::XENSTORE;
    for (offset, value) in [
        (layout.to_guest.producer, 1025),
        (layout.to_guest.producer, u32::MAX),
        (layout.from_guest.consumer, 1),
        (layout.from_guest.consumer, 0u32.wrapping_sub(1025)),
    ] {
        let (guest, _, pages) = pair(layout, 0);
        pages.region().store_u32(offset, value);
        let bad = Poll::Ready(Err(StreamError::BadIndices));
        if offset == layout.to_guest.producer {
            assert_eq!(noop(|cx| guest.poll_read(cx, &mut [0; 4])), bad);
        } else {
            assert_eq!(noop(|cx| guest.poll_write(cx, &[0; 4])), bad);
        }
        pages.region().store_u32(offset, 0);
        assert_eq!(noop(|cx| guest.poll_read(cx, &mut [0; 4])), bad);
        assert_eq!(noop(|cx| guest.poll_write(cx, &[0; 4])), bad);
        assert_eq!(
            noop(|cx| guest.poll_drained(cx)),
            Poll::Ready(Err(StreamError::BadIndices))
        );
    }
}

#[test]
fn what_is_taken_stays_in_the_ring_until_it_is_released() {
    let layout = ByteLayout::XENSTORE;
    let begin = u32::MAX - 100;
    let (guest, server, pages) = pair(layout, begin);
    let told = || pages.region().load_u32(layout.from_guest.consumer);
    let written = noop(|cx| guest.poll_write(cx, &[7; 2000]));
    assert_eq!(written, Poll::Ready(Ok(1024)));
    assert_eq!(guest.written(), begin.wrapping_add(1024));
    let mut buffer = [0; 600];
    for len in [600, 424] {
        let taken = noop(|cx| server.poll_take(cx, &mut buffer));
        assert_eq!(taken, Poll::Ready(Ok(len)));
    }
    assert_eq!(noop(|cx| server.poll_take(cx, &mut buffer)), Poll::Pending);
    let taken = begin.wrapping_add(1024);
    assert_eq!((server.taken(), told()), (taken, begin));
    assert_eq!(noop(|cx| guest.poll_write(cx, &[7])), Poll::Pending);
    let seen = guest.channel().count();
    assert!(!server.release());
    assert_eq!((guest.channel().count() - seen, told()), (1, taken));
    // There is nothing to tell a second time.
    assert!(!server.release());
    assert_eq!(guest.channel().count() - seen, 1);
}

#[test]
fn who_releases_hears_what_has_come_untold() {
    let (guest, server, _) = pair(ByteLayout::XENSTORE, 0);
    let mut buffer = [0; 8];
    for _ in 0..2 {
        let written = noop(|cx| guest.poll_write(cx, &[1; 4]));
        assert_eq!(written, Poll::Ready(Ok(4)));
        let taken = noop(|cx| server.poll_take(cx, &mut buffer));
        assert_eq!(taken, Poll::Ready(Ok(4)));
        assert_eq!(noop(|cx| server.poll_take(cx, &mut buffer)), Poll::Pending);
        // The other side sees that its four bytes were not taken, and may keep quiet about these.
        let written = noop(|cx| guest.poll_write(cx, &[2; 4]));
        assert_eq!(written, Poll::Ready(Ok(4)));
        assert!(server.release());
        assert!(!server.release());
        let taken = noop(|cx| server.poll_take(cx, &mut buffer));
        assert_eq!(taken, Poll::Ready(Ok(4)));
        assert!(!server.release());
    }
}

#[test]
fn a_reader_goes_on_between_what_was_told_and_what_there_is() {
    let begin = u32::MAX - 100;
    let (guest, server, _) = pair(ByteLayout::XENSTORE, begin);
    let written = noop(|cx| guest.poll_write(cx, &[1; 300]));
    assert_eq!(written, Poll::Ready(Ok(300)));
    for (ahead, expected) in [
        (u32::MAX, Err(StreamError::BadIndices)),
        (301, Err(StreamError::BadIndices)),
        (0, Ok(())),
        (300, Ok(())),
        (200, Ok(())),
    ] {
        let taken = begin.wrapping_add(ahead);
        assert_eq!(server.go_on_at(taken), expected, "{ahead}");
    }
    let mut buffer = [0; 300];
    let taken = noop(|cx| server.poll_take(cx, &mut buffer));
    assert_eq!(taken, Poll::Ready(Ok(100)));
}

#[test]
fn a_layout_that_leaves_the_pages_is_refused() {
    let wire = Wire {
        own: Rc::default(),
        peer: Rc::default(),
    };
    let attached = RingStream::attach(LocalPages::new(0), wire, ByteLayout::CONSOLE, Side::Guest);
    assert_eq!(attached.err(), Some(RingError::NoRoom));
}
