//! A guest that sends frames to its neighbours for ever, answers theirs, and judges all that it sees.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use morgana_emul::EmulPlatform;
use morgana_exec::{Either, select};
use morgana_hal::Instant;
use morgana_net_device::MacAddr;
use morgana_netfront::{Netfront, TxMeta};

use crate::pace::Pace;
use crate::switched::Roster;
use crate::switched::frame::{EVERYBODY, Header, JUNK, Purpose, SHORTEST};
use crate::switched::roster::{Epoch, Meant, SEATS, Seat};
use crate::{Inside, Random, Worker, World, control};

/// How often a question is asked before it is given up: its addressee may be gone.
const ATTEMPTS: u32 = 2;

/// Such a guest, from outside.
pub struct Station {
    pub(crate) inside: Inside,
    roster: Rc<Roster>,
    seat: Seat,
    seen: Rc<Seen>,
}

#[derive(Default)]
struct Seen {
    answered: Cell<u64>,
    strays: Cell<u64>,
    connections: Cell<u64>,
    parted: Cell<bool>,
    pace: Pace,
}

impl Station {
    /// Starts one. It waits for its port as long as it takes.
    pub fn start(world: &mut World, roster: &Rc<Roster>) -> Self {
        let seen = Rc::new(Seen::default());
        let (inner, random) = (seen.clone(), Random::new(world.random.number()));
        let own = roster.clone();
        let mut seat = Seat::default();
        let inside = world.start(|inside| {
            seat = own.enter(control::mac(inside.id()));
            main(inside, own, seat, inner, random)
        });
        Self {
            inside,
            roster: roster.clone(),
            seat,
            seen,
        }
    }

    /// How many frames it has seen that were for others: the switch did not know where these are.
    pub fn strays(&self) -> u64 {
        self.seen.strays.get()
    }

    /// Its port comes, goes or is in trouble.
    pub fn unsettle(&self) {
        self.roster.unsettle(self.seat);
    }

    /// It has a port that stays.
    pub fn settle(&self) {
        self.roster.settle(self.seat);
    }

    /// Kills it.
    pub fn kill(&self, world: &mut World) {
        self.roster.leave(self.seat);
        world.kill(self.inside.id());
    }
}

impl Worker for Station {
    fn inside(&self) -> &Inside {
        &self.inside
    }

    fn steps(&self) -> u64 {
        self.seen.answered.get()
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

async fn main(inside: Inside, roster: Rc<Roster>, seat: Seat, seen: Rc<Seen>, random: Random) {
    let mut sender = Sender {
        front: connect(&inside).await,
        inside,
        roster,
        seat,
        seen: seen.clone(),
        random,
        last: [0; SEATS],
    };
    loop {
        seen.pace.going().await;
        let work = async {
            if sender.ask().await == Outcome::Answered {
                seen.answered.set(seen.answered.get() + 1);
            }
            let pause = Duration::from_millis(sender.random.below(40));
            let end = sender.inside.handle.timers().now() + pause;
            sender.listen(end, None).await;
        };
        select(work, seen.pace.held()).await;
    }
}

/// Waits for a device.
pub(crate) async fn connect(inside: &Inside) -> Netfront<EmulPlatform> {
    let client = inside.xenstore();
    loop {
        let (platform, handle) = (&inside.platform, &inside.handle);
        match Netfront::connect(platform, &client, handle, 0, Default::default()).await {
            Ok(front) => return front,
            Err(_) => handle.timers().sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Whether what was waited for has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Silence,
}

struct Sender {
    front: Netfront<EmulPlatform>,
    inside: Inside,
    roster: Rc<Roster>,
    seat: Seat,
    seen: Rc<Seen>,
    random: Random,
    /// The serial numbers of the last frames from each seat.
    last: [u64; SEATS],
}

impl Sender {
    /// Asks somebody, or everybody, until an answer comes.
    async fn ask(&mut self) -> Outcome {
        let to = self.roster.other(self.seat, &mut self.random);
        let everybody = self.random.below(8) == 0;
        for _ in 0..ATTEMPTS {
            let (mac, learned) = match everybody {
                true => (EVERYBODY, None),
                false => (self.roster.mac(to), self.roster.learned(to)),
            };
            let question = self.send(mac, learned, Purpose::Question, 0);
            let end = self.inside.handle.timers().now() + Duration::from_secs(1);
            if self.listen(end, Some(question)).await == Outcome::Answered {
                return Outcome::Answered;
            }
        }
        Outcome::Silence
    }

    /// Sends a frame of any length, if there is room for one. Answers its serial number.
    fn send(
        &mut self,
        to: MacAddr,
        learned: Option<(Seat, Epoch)>,
        purpose: Purpose,
        answers: u64,
    ) -> u64 {
        let header = Header {
            to,
            from: self.roster.mac(self.seat),
            purpose,
            sender: self.seat,
            sender_epoch: self.roster.epoch(self.seat),
            learned,
            serial: self.roster.number(),
            answers,
        };
        let longest = self.front.max_frame() - SHORTEST;
        let len = SHORTEST + self.random.below(longest as u64 + 1) as usize;
        if let Some(slot) = self.front.transmit() {
            slot.send(len, |frame| {
                header.write(frame);
                TxMeta::default()
            });
        }
        self.front.flush();
        header.serial
    }

    /// Takes what comes until `end`, or until a question is answered.
    async fn listen(&mut self, end: Instant, question: Option<u64>) -> Outcome {
        let timers = self.inside.handle.timers();
        loop {
            self.seen.parted.set(self.front.parted().is_some());
            self.seen.connections.set(self.front.stats().connections);
            while let Some(header) = self.next() {
                if header.purpose == Purpose::Question {
                    self.answer(&header);
                } else if Some(header.answers) == question {
                    return Outcome::Answered;
                }
            }
            let ready = poll_fn(|cx| self.front.poll_ready(cx));
            if let Either::Second(()) = select(ready, timers.sleep_until(end)).await {
                return Outcome::Silence;
            }
        }
    }

    fn answer(&mut self, question: &Header) {
        let to = question.sender;
        let learned = self.roster.learned(to);
        self.send(question.from, learned, Purpose::Answer, question.serial);
    }

    /// The next frame that says something, and is for this station.
    fn next(&mut self) -> Option<Header> {
        loop {
            let header = {
                let mut received = self.front.receive()?;
                let bytes = received.bytes();
                if bytes.get(12..14) == Some(&JUNK) {
                    continue;
                }
                let header = Header::read(bytes);
                header.unwrap_or_else(|| panic!("a frame was corrupted: {bytes:02x?}"))
            };
            let meant = self.roster.judge(self.seat, &header);
            let last = &mut self.last[header.sender.0];
            assert!(header.serial > *last, "twice, or too late: {header:?}");
            *last = header.serial;
            match meant {
                Meant::Me | Meant::All => return Some(header),
                Meant::Another => self.seen.strays.set(self.seen.strays.get() + 1),
            }
        }
    }
}
