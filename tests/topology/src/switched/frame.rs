//! The frames that stations send: every byte follows from the header, and the header says who has sent what to whom.

use morgana_net_device::MacAddr;

use crate::Random;
use crate::switched::roster::{Epoch, Seat};

/// IEEE 802, clause 9.2.3: the two types for experiments. Frames of the second one say nothing.
const STATION: [u8; 2] = [0x88, 0xb5];
pub(crate) const JUNK: [u8; 2] = [0x88, 0xb6];

/// The header, with those of Ethernet.
const HEADER: usize = 14 + 2 + 4 * 8;
/// The shortest frame that Ethernet has, without its checksum.
pub(crate) const SHORTEST: usize = 60;

/// The address of all stations.
pub(crate) const EVERYBODY: MacAddr = MacAddr([0xff; 6]);

/// What a frame is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// It wants an answer.
    Question,
    /// It is one, to the frame with that serial number.
    Answer,
    /// It breaks the rules of the switch, which lets nobody see it.
    Forged,
}

/// What a frame says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) to: MacAddr,
    pub(crate) from: MacAddr,
    pub(crate) purpose: Purpose,
    /// Who sends it, and where that station was then.
    pub(crate) sender: Seat,
    pub(crate) sender_epoch: Epoch,
    /// Where the switch had to know its destination to be when it was sent, if it did.
    pub(crate) learned: Option<(Seat, Epoch)>,
    /// No two frames have the same, and later ones have larger ones.
    pub(crate) serial: u64,
    /// What it answers.
    pub(crate) answers: u64,
}

impl Header {
    /// The frame of `len` bytes.
    pub(crate) fn write(&self, frame: &mut [u8]) {
        let (seat, epoch) = self.learned.unwrap_or_default();
        frame[..6].copy_from_slice(&self.to.0);
        frame[6..12].copy_from_slice(&self.from.0);
        frame[12..14].copy_from_slice(&STATION);
        frame[14] = self.purpose as u8;
        frame[15] = (self.sender.0 << 4) as u8 | seat.0 as u8;
        let numbers = [self.sender_epoch.0, epoch.0, self.serial, self.answers];
        for (at, number) in numbers.into_iter().enumerate() {
            frame[16 + 8 * at..24 + 8 * at].copy_from_slice(&number.to_le_bytes());
        }
        let (header, rest) = frame.split_at_mut(HEADER);
        let mut content = content(header, rest.len());
        rest.fill_with(|| content.number() as u8);
    }

    /// What the frame says, if all of its bytes are as they were sent.
    pub(crate) fn read(frame: &[u8]) -> Option<Self> {
        let (header, rest) = frame.split_at_checked(HEADER)?;
        let mut content = content(header, rest.len());
        if header[12..14] != STATION || rest.iter().any(|&byte| byte != content.number() as u8) {
            return None;
        }
        let number = |at: usize| -> Option<u64> {
            let bytes = header[16 + 8 * at..24 + 8 * at].try_into();
            bytes.ok().map(u64::from_le_bytes)
        };
        let epoch = Epoch(number(1)?);
        let purpose = [Purpose::Question, Purpose::Answer, Purpose::Forged];
        Some(Self {
            to: MacAddr(header[..6].try_into().ok()?),
            from: MacAddr(header[6..12].try_into().ok()?),
            purpose: *purpose.get(usize::from(header[14]))?,
            sender: Seat(usize::from(header[15] >> 4)),
            sender_epoch: Epoch(number(0)?),
            learned: (epoch != Epoch::default())
                .then_some((Seat(usize::from(header[15] & 15)), epoch)),
            serial: number(2)?,
            answers: number(3)?,
        })
    }
}

fn content(header: &[u8], len: usize) -> Random {
    let mixed = header.iter().fold(len as u64, |seed, &byte| {
        Random::new(seed ^ u64::from(byte)).number()
    });
    Random::new(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_what_was_written_and_not_a_bit_may_change() {
        let header = Header {
            to: MacAddr([2, 0, 0, 0, 0, 1]),
            from: MacAddr([2, 0, 0, 0, 0, 2]),
            purpose: Purpose::Answer,
            sender: Seat(3),
            sender_epoch: Epoch(7),
            learned: Some((Seat(5), Epoch(9))),
            serial: u64::MAX,
            answers: 12,
        };
        let mut frame = [0; SHORTEST];
        header.write(&mut frame);
        assert_eq!(Header::read(&frame), Some(header));
        assert_eq!(Header::read(&frame[..SHORTEST - 1]), None);
        for bit in 0..8 * SHORTEST {
            frame[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::read(&frame), None, "bit {bit}");
            frame[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
