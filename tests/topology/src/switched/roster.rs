//! Who is behind a switch, and what the switch must know of them.

use std::cell::{Cell, RefCell};

use morgana_net_device::MacAddr;

use crate::Random;
use crate::switched::frame::{EVERYBODY, Header, Purpose};

/// How many stations there are at the most.
pub(crate) const SEATS: usize = 8;

/// A station's place in the roster.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Seat(pub(crate) usize);

/// A time in which a station is behind one port. No two stations have the same; the default is none of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Epoch(pub(crate) u64);

/// All stations. It stands outside of the machine: each station writes down what it sees, and finds out what nobody may see.
#[derive(Default, Debug)]
pub struct Roster {
    seats: RefCell<[Sitter; SEATS]>,
    numbers: Cell<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Sitter {
    /// It stays when the station has left: frames to nobody are sent there.
    mac: MacAddr,
    is_there: bool,
    epoch: Epoch,
    knowledge: Knowledge,
}

impl Default for Sitter {
    fn default() -> Self {
        Self {
            mac: MacAddr([0; 6]),
            is_there: false,
            epoch: Epoch::default(),
            knowledge: Knowledge::Unsettled,
        }
    }
}

/// What the switch knows of the port of a station.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Knowledge {
    /// It may know it, and may forget it at any time: the port comes, goes, or is in trouble.
    Unsettled,
    /// It has not passed on any of its frames yet.
    Unheard,
    /// It has, so it must not forget.
    Heard,
}

impl Roster {
    /// A number larger than all before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// A new station, whose port is to come.
    ///
    /// # Panics
    ///
    /// If all seats are taken.
    pub(crate) fn enter(&self, mac: MacAddr) -> Seat {
        let mut seats = self.seats.borrow_mut();
        let free = seats.iter().position(|sitter| !sitter.is_there);
        let seat = free.expect("a test has few stations");
        seats[seat] = Sitter {
            mac,
            is_there: true,
            epoch: Epoch(self.number()),
            knowledge: Knowledge::Unsettled,
        };
        Seat(seat)
    }

    /// A station is no more.
    pub(crate) fn leave(&self, seat: Seat) {
        self.unsettle(seat);
        self.seats.borrow_mut()[seat.0].is_there = false;
    }

    /// The port of a station comes, goes or is in trouble: the switch need not know it.
    pub(crate) fn unsettle(&self, seat: Seat) {
        let epoch = Epoch(self.number());
        let sitter = &mut self.seats.borrow_mut()[seat.0];
        (sitter.epoch, sitter.knowledge) = (epoch, Knowledge::Unsettled);
    }

    /// It stays from now on.
    pub(crate) fn settle(&self, seat: Seat) {
        let epoch = Epoch(self.number());
        let sitter = &mut self.seats.borrow_mut()[seat.0];
        (sitter.epoch, sitter.knowledge) = (epoch, Knowledge::Unheard);
    }

    /// [`unsettle`](Self::unsettle) for all stations.
    pub fn unsettle_all(&self) {
        (0..SEATS).for_each(|seat| self.unsettle(Seat(seat)));
    }

    /// [`settle`](Self::settle) for all stations.
    pub fn settle_all(&self) {
        (0..SEATS).for_each(|seat| self.settle(Seat(seat)));
    }

    pub(crate) fn mac(&self, seat: Seat) -> MacAddr {
        self.seats.borrow()[seat.0].mac
    }

    pub(crate) fn epoch(&self, seat: Seat) -> Epoch {
        self.seats.borrow()[seat.0].epoch
    }

    /// Where the switch must know the station to be, if it must.
    pub(crate) fn learned(&self, seat: Seat) -> Option<(Seat, Epoch)> {
        let sitter = self.seats.borrow()[seat.0];
        (sitter.knowledge == Knowledge::Heard).then_some((seat, sitter.epoch))
    }

    /// Any seat but one: mostly of a station that is there.
    pub(crate) fn other(&self, own: Seat, random: &mut Random) -> Seat {
        let start = random.below(SEATS as u64) as usize;
        let choices = (0..SEATS).map(|step| Seat((start + step) % SEATS));
        let nobody = random.below(16) == 0;
        let seats = self.seats.borrow();
        let suits = |seat: &Seat| *seat != own && seats[seat.0].is_there != nobody;
        let mut choices = choices.filter(suits);
        choices.next().unwrap_or(Seat((own.0 + 1) % SEATS))
    }

    /// Judges a frame that has come to the station in `seat`: whether it may have come, and whether it was for it.
    ///
    /// # Panics
    ///
    /// If the switch has broken a rule.
    pub(crate) fn judge(&self, seat: Seat, header: &Header) -> Meant {
        let mac = self.mac(seat);
        assert_ne!(header.purpose, Purpose::Forged, "forged: {header:?}");
        assert_ne!(header.from, mac, "it came back: {header:?}");
        assert_eq!(header.from, self.mac(header.sender), "a wrong address");
        self.hear(header);
        if header.to == mac {
            return Meant::Me;
        }
        if header.to == EVERYBODY {
            return Meant::All;
        }
        if let Some((to, epoch)) = header.learned {
            let current = self.seats.borrow()[to.0].epoch;
            assert_ne!(current, epoch, "{mac} sees what is another's: {header:?}");
        }
        Meant::Another
    }

    /// A frame has been passed on, so its sender is known.
    fn hear(&self, header: &Header) {
        let sitter = &mut self.seats.borrow_mut()[header.sender.0];
        if sitter.epoch == header.sender_epoch && sitter.knowledge == Knowledge::Unheard {
            sitter.knowledge = Knowledge::Heard;
        }
    }
}

/// For whom a frame was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meant {
    Me,
    All,
    /// The switch did not know where that one is.
    Another,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACS: [MacAddr; 3] = [
        MacAddr([2, 0, 0, 0, 0, 1]),
        MacAddr([2, 0, 0, 0, 0, 2]),
        MacAddr([2, 0, 0, 0, 0, 3]),
    ];

    fn settled() -> Roster {
        let roster = Roster::default();
        for mac in MACS {
            let seat = roster.enter(mac);
            roster.settle(seat);
        }
        roster
    }

    /// A frame that one station sends to another now.
    fn frame(roster: &Roster, from: usize, to: usize) -> Header {
        Header {
            to: MACS[to],
            from: MACS[from],
            purpose: Purpose::Question,
            sender: Seat(from),
            sender_epoch: roster.epoch(Seat(from)),
            learned: roster.learned(Seat(to)),
            serial: roster.number(),
            answers: 0,
        }
    }

    #[test]
    fn what_is_not_learned_may_go_to_all() {
        let roster = settled();
        let header = frame(&roster, 0, 1);
        assert_eq!(roster.judge(Seat(2), &header), Meant::Another);
        assert_eq!(roster.judge(Seat(1), &header), Meant::Me);
    }

    #[test]
    fn what_was_learned_may_be_forgotten_with_the_port() {
        let roster = settled();
        roster.judge(Seat(0), &frame(&roster, 1, 0));
        let before = frame(&roster, 0, 1);
        roster.unsettle(Seat(1));
        assert_eq!(roster.judge(Seat(2), &before), Meant::Another);
        roster.judge(Seat(0), &frame(&roster, 1, 0));
        assert_eq!(roster.learned(Seat(1)), None);
        roster.settle(Seat(1));
        assert_eq!(roster.learned(Seat(1)), None);
    }

    #[test]
    #[should_panic(expected = "sees what is another's")]
    fn what_is_learned_goes_to_one() {
        let roster = settled();
        roster.judge(Seat(0), &frame(&roster, 1, 0));
        roster.judge(Seat(2), &frame(&roster, 0, 1));
    }

    #[test]
    #[should_panic(expected = "came back")]
    fn nothing_comes_back() {
        let roster = settled();
        roster.judge(Seat(0), &frame(&roster, 0, 1));
    }

    #[test]
    #[should_panic(expected = "forged")]
    fn nobody_sees_what_is_forged() {
        let roster = settled();
        let purpose = Purpose::Forged;
        let header = Header {
            purpose,
            ..frame(&roster, 0, 1)
        };
        roster.judge(Seat(1), &header);
    }
}
