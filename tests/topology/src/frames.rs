//! A guest with a network device: it sends frames for ever, and checks what comes back.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use morgana_emul::EmulPlatform;
use morgana_exec::{Either, select};
use morgana_netfront::{Netfront, TxMeta};

use crate::pace::Pace;
use crate::{Driver, Guest, Inside, Kind, Random, Worker, World};

/// Such a guest, from outside.
pub struct Frames {
    inside: Inside,
    seen: Rc<Seen>,
}

#[derive(Default)]
struct Seen {
    returned: Cell<u64>,
    connections: Cell<u64>,
    parted: Cell<bool>,
    pace: Pace,
}

impl Guest for Frames {
    const KIND: Kind = Kind::Vif;

    fn start(world: &mut World) -> Self {
        let seen = Rc::new(Seen::default());
        let (inner, random) = (seen.clone(), Random::new(world.random.number()));
        let inside = world.start(move |inside| main(inside, inner, random));
        Self { inside, seen }
    }

    fn serve(&self, driver: &Driver) {
        driver.echo(self.inside.id());
    }

    /// Frames are compared when they come.
    fn check(&self) {}
}

impl Worker for Frames {
    fn inside(&self) -> &Inside {
        &self.inside
    }

    fn steps(&self) -> u64 {
        self.seen.returned.get()
    }

    fn connections(&self) -> u64 {
        self.seen.connections.get()
    }

    fn is_parted(&self) -> bool {
        self.seen.parted.get()
    }

    fn hold(&self) {
        self.seen.pace.hold();
    }

    fn release(&self) {
        self.seen.pace.release();
    }
}

async fn main(inside: Inside, seen: Rc<Seen>, mut random: Random) {
    let client = inside.xenstore();
    let mut front = loop {
        let (platform, handle) = (&inside.platform, &inside.handle);
        match Netfront::connect(platform, &client, handle, 0, Default::default()).await {
            Ok(front) => break front,
            // There is no device yet.
            Err(_) => handle.timers().sleep(Duration::from_millis(10)).await,
        }
    };
    loop {
        seen.pace.going().await;
        let number = seen.returned.get();
        let frame = frame(number, &mut random, front.max_frame());
        let exchanged = exchange(&inside, &mut front, &frame, &seen);
        if let Either::First(()) = select(exchanged, seen.pace.held()).await {
            seen.returned.set(number + 1);
        }
        drop(frame);
        // Time only jumps while nobody has anything to do.
        let pause = Duration::from_millis(random.below(40));
        inside.handle.timers().sleep(pause).await;
    }
}

/// Sends a frame until it has come back: frames are lost while there is no connection.
async fn exchange(inside: &Inside, front: &mut Netfront<EmulPlatform>, frame: &[u8], seen: &Seen) {
    let timers = inside.handle.timers();
    loop {
        if let Some(slot) = front.transmit() {
            slot.send(frame.len(), |into| {
                into.copy_from_slice(frame);
                TxMeta::default()
            });
        }
        front.flush();
        let patience = timers.now() + Duration::from_secs(1);
        loop {
            seen.parted.set(front.parted().is_some());
            seen.connections.set(front.stats().connections);
            while let Some(mut received) = front.receive() {
                let bytes = received.bytes();
                // One that was sent twice comes twice.
                assert!(is_intact(bytes), "a frame was corrupted");
                if bytes == frame {
                    return;
                }
            }
            let ready = poll_fn(|cx| front.poll_ready(cx));
            if let Either::Second(()) = select(ready, timers.sleep_until(patience)).await {
                break;
            }
        }
    }
}

/// A frame of any length, whose bytes follow from its number and its length.
fn frame(number: u64, random: &mut Random, longest: usize) -> Vec<u8> {
    let len = 60 + random.below(longest as u64 - 59) as usize;
    let mut frame = number.to_le_bytes().to_vec();
    let mut content = Random::new(number ^ len as u64);
    frame.resize_with(len, || content.number() as u8);
    frame
}

fn is_intact(frame: &[u8]) -> bool {
    let Some((number, rest)) = frame.split_first_chunk::<8>() else {
        return false;
    };
    let mut content = Random::new(u64::from_le_bytes(*number) ^ frame.len() as u64);
    rest.iter().all(|&byte| byte == content.number() as u8)
}
