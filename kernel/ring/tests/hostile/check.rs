//! Both ends of a request/response ring, both sides of a byte ring and a slot table, each against a peer that writes anything into
//! the shared page between any two calls.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use morgana_hal::{ByteStream, Channel, LocalPages, Pages, Port};
use morgana_ring::{BackRing, ByteLayout, FrontRing, RingError, RingStream, Side, Slots};

/// One step: what to do, a place, a value.
type Step = (u8, u8, u32);

/// Every six bytes of `input` are a step; the first step's value is where indices begin.
pub(crate) fn check(input: &[u8]) {
    let (chunks, _) = input.as_chunks::<6>();
    let steps: Vec<Step> = chunks
        .iter()
        .map(|&[what, place, a, b, c, d]| (what, place, u32::from_le_bytes([a, b, c, d])))
        .collect();
    let start = steps.first().map_or(0, |step| step.2);
    front(start, &steps);
    back(start, &steps);
    for layout in [ByteLayout::XENSTORE, ByteLayout::CONSOLE] {
        for side in [Side::Guest, Side::Server] {
            bytes(layout, side, start, &steps);
        }
    }
    slots(&steps);
}

/// The peer writes: mostly an index near to where they stand.
fn scribble(pages: &LocalPages, start: u32, place: u8, value: u32) {
    let offset = usize::from(place % 32) * 4;
    let value = if place & 0x80 == 0 {
        start.wrapping_add(value % 80)
    } else {
        value
    };
    pages.region().store_u32(offset, value);
}

fn front(start: u32, steps: &[Step]) {
    let pages = LocalPages::new(1);
    let ring = FrontRing::<_, [u64; 8], u64>::starting_at(pages.clone(), start);
    let mut ring = ring.expect("entries of 64 bytes fit a page");
    let (mut written, mut published, mut taken) = (0u32, 0u32, 0u32);
    let mut broken = None;
    for &(what, place, value) in steps {
        match what % 6 {
            0 | 1 => scribble(&pages, start, place, value),
            2 => written += u32::from(ring.push(&[u64::from(value); 8]).is_ok()),
            3 => {
                let _ = ring.publish();
                published = written;
            }
            4 => {
                let result = take(place.into(), &mut taken, || ring.pop());
                assert!(place == 0 || broken.is_none_or(|error| result == Err(error)));
                broken = broken.or(result.err());
            }
            _ => broken = broken.or(ring.arm_after(value).err()),
        }
        assert!(taken <= published, "a response without a request");
        assert_eq!(ring.in_flight(), written - taken);
        assert!(ring.free() <= ring.capacity());
    }
}

fn back(start: u32, steps: &[Step]) {
    let pages = LocalPages::new(1);
    pages.region().store_u32(0, start);
    pages.region().store_u32(8, start);
    let ring = BackRing::<_, [u64; 8], u64>::attach(pages.clone());
    let mut ring = ring.expect("an empty ring can be joined");
    let (mut taken, mut answered, mut published) = (0u32, 0u32, 0u32);
    for &(what, place, value) in steps {
        match what % 6 {
            0 | 1 => scribble(&pages, start, place, value),
            2 => answered += u32::from(ring.push(&u64::from(value)).is_ok()),
            3 => {
                let _ = ring.publish();
                published = answered;
            }
            4 => {
                let _ = take(place.into(), &mut taken, || ring.pop());
            }
            _ => drop(ring.arm_after(value)),
        }
        assert_eq!(ring.unanswered(), taken - answered);
        assert!(
            taken - published <= ring.capacity(),
            "more requests than entries"
        );
    }
}

/// Takes entries out as long as there are some, `most` at the most, and counts them.
fn take<T>(
    most: u32,
    taken: &mut u32,
    mut pop: impl FnMut() -> Result<Option<T>, RingError>,
) -> Result<(), RingError> {
    for _ in 0..most {
        if pop()?.is_none() {
            break;
        }
        *taken += 1;
    }
    Ok(())
}

/// A channel over which nothing ever comes.
struct Silent;

impl Channel for Silent {
    fn port(&self) -> Port {
        Port::new(0)
    }

    fn notify(&self) {}

    fn count(&self) -> u64 {
        0
    }

    fn poll_after(&self, _: u64, _: &mut Context<'_>) -> Poll<u64> {
        Poll::Pending
    }
}

fn bytes(layout: ByteLayout, side: Side, start: u32, steps: &[Step]) {
    let pages = LocalPages::new(1);
    let lanes = [layout.from_guest, layout.to_guest];
    let indices: Vec<usize> = lanes
        .iter()
        .flat_map(|lane| [lane.consumer, lane.producer])
        .collect();
    for &index in &indices {
        pages.region().store_u32(index, start);
    }
    let stream = RingStream::attach(pages.clone(), Silent, layout, side);
    let stream = stream.expect("the layout fits a page");
    let mut cx = Context::from_waker(Waker::noop());
    let mut buffer = [0; 300];
    let mut ended = false;
    for &(what, place, value) in steps {
        let len = usize::from(place);
        let polled = match what % 4 {
            0 => {
                let index = indices[len % indices.len()];
                let value = if place & 0x80 == 0 {
                    start.wrapping_add(value % 3000)
                } else {
                    value
                };
                pages.region().store_u32(index, value);
                continue;
            }
            1 => stream.poll_read(&mut cx, &mut buffer[..len]),
            2 => stream.poll_write(&mut cx, &buffer[..len]),
            _ => stream.poll_drained(&mut cx).map_ok(|()| 0),
        };
        if let Poll::Ready(Ok(moved)) = polled {
            assert!(moved <= len, "more was moved than asked for");
            assert!(!ended || len == 0, "a stream that has ended moves nothing");
        }
        ended |= matches!(polled, Poll::Ready(Err(_)));
    }
}

fn slots(steps: &[Step]) {
    let capacity = steps.first().map_or(1, |step| usize::from(step.1 % 32) + 1);
    let mut slots = Slots::new(capacity);
    let mut model = BTreeMap::new();
    for &(what, place, value) in steps {
        if what % 2 == 0 {
            match slots.insert(value) {
                Ok(id) => assert_eq!(model.insert(id, value), None, "an id was given out twice"),
                Err(_) => assert_eq!(model.len(), capacity),
            }
        } else {
            let known = model.keys().nth(usize::from(place) % capacity).copied();
            let id = if what & 2 == 0 {
                known.unwrap_or(0)
            } else {
                value as u16
            };
            assert_eq!(slots.remove(id).ok(), model.remove(&id));
        }
        assert_eq!(slots.len(), model.len());
    }
}
