//! Memory that outlasts a crash, for what is under way in a domain's ring.
//!
//! It has two editions in turn. A new one is written over the older of both and counts from the moment on at which it is whole and the journal has the changes
//! that it goes with. Whatever the daemon was doing when it was killed, one of them counts, and is true:
//!
//! 1. The new edition is written: what was taken out of the ring and not handled, and all replies that were not sent.
//! 2. The journal gets the changes that those replies tell of.
//! 3. The ring's indices move: what was taken is taken, and replies are put in. The editions have the indices, so that it is known how far that came.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::sync::atomic::{Ordering, compiler_fence};

use morgana_xenstore_migration::{EDITION, EDITION_ROOM, Edition, NoEdition, Position, UnderWay};
use morgana_xenstore_wire::{HEADER_LEN, Header};

use crate::inbox::Inbox;
use crate::outbox::Outbox;
use crate::{Fault, Served};

/// So many bytes a domain's memory has.
pub const SLOT: usize = 2 * EDITION;

/// Memory that outlasts a crash: [`SLOT`] bytes, zeros at first. Nobody else writes them.
pub trait Slot: 'static {
    /// Writes bytes from `at` on.
    fn write(&self, at: usize, bytes: &[u8]);

    /// Reads bytes from `at` on.
    fn read(&self, at: usize, into: &mut [u8]);
}

/// A slot that there is not.
impl Slot for Infallible {
    fn write(&self, _: usize, _: &[u8]) {
        match *self {}
    }

    fn read(&self, _: usize, _: &mut [u8]) {
        match *self {}
    }
}

/// How a domain's connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// It is served.
    Open,
    /// It waits until the domain begins anew, which it was told of if there was a fault.
    Paused(Option<Fault>),
    /// What is under way does not fit the slot.
    Unknown,
}

/// In the field of an edition that is open, paused with no fault, and unknown. Any other value is a fault's code.
const OPEN: u32 = 0;
const PAUSED: u32 = u32::MAX;
const UNKNOWN: u32 = u32::MAX - 1;

impl Standing {
    const fn code(self) -> u32 {
        match self {
            Self::Open => OPEN,
            Self::Paused(None) => PAUSED,
            Self::Paused(Some(fault)) => fault as u32,
            Self::Unknown => UNKNOWN,
        }
    }

    fn of_code(code: u32) -> Self {
        match code {
            OPEN => Self::Open,
            PAUSED => Self::Paused(None),
            _ => match Fault::of_code(code) {
                Some(fault) => Self::Paused(Some(fault)),
                None => Self::Unknown,
            },
        }
    }
}

/// Room for an edition that is put together, for all domains.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    input: Vec<u8>,
    output: Vec<u8>,
    edition: Vec<u8>,
}

/// Keeps what is under way in one ring.
#[derive(Debug)]
pub(crate) struct Keeper<M> {
    memory: M,
    /// Where the next edition goes: not over the one that counts.
    next: usize,
    number: u64,
    /// The ring's index at which the output begins that is kept, and how long that is.
    begins: u32,
    len: usize,
}

impl<M: Slot> Keeper<M> {
    /// For a ring in which nothing is under way.
    pub(crate) fn fresh(memory: M) -> Self {
        // Editions of an earlier domain with the same number must not count.
        for at in [0, EDITION] {
            memory.write(at, &[0; 16]);
        }
        Self::after(memory, 0, 0)
    }

    /// Goes on with what another daemon has left, which counts until something else is kept. The journal goes up to `reached`; `None` if that daemon had nothing to be kept
    /// any longer.
    pub(crate) fn take_up(memory: M, reached: Option<Position>) -> (Self, Left) {
        let mut bytes = [Vec::new(), Vec::new()];
        for (bytes, at) in bytes.iter_mut().zip([0, EDITION]) {
            bytes.resize(EDITION, 0);
            memory.read(at, bytes);
        }
        let editions = [0, 1].map(|which| Edition::read(&bytes[which]));
        let highest = editions.iter().flatten().map(|edition| edition.number);
        let number = highest.max().unwrap_or(0);
        let reached = |edition: &Edition<'_>| reached.is_none_or(|at| edition.position <= at);
        let counting = (0..2)
            .filter_map(|which| Some((which, editions[which].ok().filter(reached)?)))
            .max_by_key(|(_, edition)| edition.number);
        let (next, left) = match counting {
            Some((which, edition)) => ((1 - which) * EDITION, Left::of(&edition.content)),
            // The first edition may not have become whole, but not two.
            None if editions.iter().all(|no| *no == Err(NoEdition::Damaged)) => (0, Left::Damaged),
            None => (0, Left::Nothing),
        };
        (Self::after(memory, next, number), left)
    }

    const fn after(memory: M, next: usize, number: u64) -> Self {
        Self {
            memory,
            next,
            number,
            begins: 0,
            len: 0,
        }
    }

    /// Keeps all that is under way, from `position` on.
    pub(crate) fn keep(
        &mut self,
        scratch: &mut Scratch,
        position: Position,
        standing: Standing,
        stream: &impl Served,
        (inbox, outbox): (&Inbox, &Outbox),
    ) {
        let Scratch {
            input,
            output,
            edition,
        } = scratch;
        for bytes in [&mut *input, &mut *output, &mut *edition] {
            bytes.clear();
        }
        let mut content = UnderWay {
            standing: standing.code(),
            consumed: stream.taken(),
            produced: stream.written(),
            ..UnderWay::default()
        };
        let unhandled = outbox.unanswered_len() + inbox.unhandled_len();
        match EDITION_ROOM.checked_sub(unhandled) {
            Some(room) if outbox.rest_len() <= room => {
                outbox.copy_unanswered(input);
                inbox.copy_unhandled(input);
                content.begun = outbox.copy_replies(output, room) as u32;
            }
            _ => content.standing = Standing::Unknown.code(),
        }
        (content.input, content.output) = (&*input, &*output);
        self.number += 1;
        let number = self.number;
        let whole = Edition {
            number,
            position,
            content,
        };
        whole.write(edition);
        self.memory.write(self.next, edition);
        // The process may be killed at any point: what comes next is not to be done before.
        compiler_fence(Ordering::SeqCst);
        self.next = EDITION - self.next;
        (self.begins, self.len) = (content.produced, output.len());
    }

    /// Whether the output that is kept has a reply of `len` bytes that is put in from `at` on.
    pub(crate) const fn covers(&self, at: u32, len: usize) -> bool {
        at.wrapping_sub(self.begins) as usize + len <= self.len
    }
}

/// What a daemon has left.
#[derive(Debug)]
pub(crate) enum Left {
    /// Nothing was kept.
    Nothing,
    /// Something was, and it is not known what.
    Damaged,
    /// Its connection is paused.
    Paused(Option<Fault>),
    /// That.
    Open(Open),
}

/// What was under way in a ring.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) consumed: u32,
    pub(crate) input: Vec<u8>,
    produced: u32,
    output: Vec<u8>,
    begun: usize,
}

impl Left {
    fn of(content: &UnderWay<'_>) -> Self {
        match Standing::of_code(content.standing) {
            Standing::Unknown => Self::Damaged,
            Standing::Paused(fault) => Self::Paused(fault),
            Standing::Open => Self::Open(Open {
                consumed: content.consumed,
                input: content.input.to_vec(),
                produced: content.produced,
                output: content.output.to_vec(),
                begun: content.begun as usize,
            }),
        }
    }
}

impl Open {
    /// What of the output is not in the ring yet if the daemon had come to the index `written`, and how much of that is the rest of a packet.
    /// `None` if that cannot be.
    pub(crate) fn unsent(&self, written: u32) -> Option<(&[u8], u16)> {
        let sent = written.wrapping_sub(self.produced) as usize;
        let unsent = self.output.get(sent..)?;
        let mut end = self.begun;
        // Where the packet ends in whose midst it stopped.
        while end < sent {
            let header = self.output.get(end..)?.first_chunk::<HEADER_LEN>()?;
            let len = Header::from_bytes(header).len as usize;
            end = end.checked_add(HEADER_LEN)?.checked_add(len)?;
        }
        if end > self.output.len() {
            return None;
        }
        Some((unsent, u16::try_from(end - sent).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::rc::Rc;
    use alloc::vec;
    use core::cell::RefCell;
    use morgana_xenstore_wire::{RequestId, TransactionId, encode};

    #[derive(Clone)]
    struct Memory(Rc<RefCell<Vec<u8>>>);

    impl Slot for Memory {
        fn write(&self, at: usize, bytes: &[u8]) {
            self.0.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
        }

        fn read(&self, at: usize, into: &mut [u8]) {
            into.copy_from_slice(&self.0.borrow()[at..at + into.len()]);
        }
    }

    impl Memory {
        fn new() -> Self {
            Self(Rc::new(RefCell::new(vec![0; SLOT])))
        }

        fn put(&self, at: usize, number: u64, frames: u32) {
            let content = UnderWay {
                consumed: number as u32,
                ..UnderWay::default()
            };
            let position = at_frame(frames);
            let mut bytes = Vec::new();
            Edition {
                number,
                position,
                content,
            }
            .write(&mut bytes);
            self.write(at, &bytes);
        }

        fn taken_up(&self, reached: Option<Position>) -> (usize, u64, Left) {
            let (keeper, left) = Keeper::take_up(self.clone(), reached);
            (keeper.next, keeper.number, left)
        }
    }

    fn at_frame(frames: u32) -> Position {
        Position {
            generation: 1,
            frames,
        }
    }

    fn consumed(left: &Left) -> Option<u32> {
        match left {
            Left::Open(open) => Some(open.consumed),
            _ => None,
        }
    }

    #[test]
    fn the_newest_edition_counts_whose_changes_are_there() {
        let memory = Memory::new();
        assert!(matches!(memory.taken_up(None), (0, 0, Left::Nothing)));
        memory.put(0, 5, 9);
        let (next, number, left) = memory.taken_up(Some(at_frame(9)));
        assert_eq!((next, number, consumed(&left)), (EDITION, 5, Some(5)));
        memory.put(EDITION, 6, 10);
        for (reached, expected) in [
            (Some(at_frame(8)), (0, None)),
            (Some(at_frame(9)), (EDITION, Some(5))),
            (Some(at_frame(10)), (0, Some(6))),
            (Some(at_frame(0).next_generation()), (0, Some(6))),
            (None, (0, Some(6))),
        ] {
            let (next, number, left) = memory.taken_up(reached);
            assert_eq!((next, consumed(&left)), expected, "{reached:?}");
            assert_eq!(number, 6);
        }
        // One that is not whole does not count; if neither is, nobody knows.
        memory.write(EDITION + 20, &[0xff]);
        let (next, _, left) = memory.taken_up(None);
        assert_eq!((next, consumed(&left)), (EDITION, Some(5)));
        memory.write(20, &[0xff]);
        assert!(matches!(memory.taken_up(None), (0, 0, Left::Damaged)));
        // The first of a fresh one may have been begun.
        drop(Keeper::fresh(memory.clone()));
        memory.write(0, b"begun");
        assert!(matches!(memory.taken_up(None), (0, 0, Left::Nothing)));
    }

    #[test]
    fn what_is_unsent_begins_where_the_ring_says() {
        let packet = |len: usize| {
            let mut bytes = Vec::new();
            encode(2, RequestId(1), TransactionId::NONE, &mut bytes, |out| {
                out.resize(HEADER_LEN + len, 0);
            })
            .unwrap();
            bytes
        };
        // Seven bytes of one, then two more: of 20 and 16 bytes.
        let output = [&[1; 7][..], &packet(4), &packet(0)].concat();
        let produced = u32::MAX - 10;
        let open = |begun| Open {
            consumed: 0,
            input: Vec::new(),
            produced,
            output: output.clone(),
            begun,
        };
        for (sent, partial) in [(0, 7), (6, 1), (7, 0), (8, 19), (26, 1), (27, 0), (43, 0)] {
            let (unsent, rest) = (&output[sent..], Some(partial));
            let written = produced.wrapping_add(sent as u32);
            let open = open(7);
            let found = open.unsent(written);
            assert_eq!(found.map(|(unsent, _)| unsent), Some(unsent), "{sent}");
            assert_eq!(found.map(|(_, partial)| partial), rest, "{sent}");
        }
        assert_eq!(open(7).unsent(produced.wrapping_add(44)), None);
        assert_eq!(open(7).unsent(produced.wrapping_sub(1)), None);
        // The last packet is not all there, or begins nowhere.
        assert_eq!(open(30).unsent(produced.wrapping_add(31)), None);
        assert_eq!(open(4).unsent(produced.wrapping_add(5)), None);
    }

    #[test]
    fn any_standing_is_one() {
        for standing in [
            Standing::Open,
            Standing::Unknown,
            Standing::Paused(None),
            Standing::Paused(Some(Fault::Communication)),
            Standing::Paused(Some(Fault::RingIndex)),
            Standing::Paused(Some(Fault::Protocol)),
        ] {
            assert_eq!(Standing::of_code(standing.code()), standing);
        }
        assert_eq!(Standing::of_code(77), Standing::Unknown);
    }
}
