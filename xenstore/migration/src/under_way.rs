//! What is under way in a domain's ring, kept beside the journal.

use alloc::vec::Vec;

use crate::Position;
use crate::frame::checksum;

/// What an edition begins with.
const IDENT: [u8; 8] = *b"xsundway";

/// Ident, number, position, standing, both indices, what is begun, two lengths, and a checksum of all that and what follows.
const HEADER: usize = 56;
const SUM: usize = HEADER - 8;

/// So many bytes an edition has at the most.
pub const EDITION: usize = 16 << 10;

/// So many of them there are for input and output together.
pub const EDITION_ROOM: usize = EDITION - HEADER;

/// What the daemon has taken out of a ring and not answered, and what it has to put in. The indices are those of the ring, so that it is known of whoever reads it
/// how much has gone on since.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UnderWay<'a> {
    /// How the connection is; what the number means is the daemon's affair.
    pub standing: u32,
    /// The index behind what was taken out.
    pub consumed: u32,
    /// What was taken out and is to be handled.
    pub input: &'a [u8],
    /// The index at which the output begins.
    pub produced: u32,
    /// What is to be put in: packets, but for
    pub output: &'a [u8],
    /// so many bytes at its beginning, which are the rest of one.
    pub begun: u32,
}

/// One of the editions of which a later one takes the place of an earlier one, if it is whole and its position is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edition<'a> {
    /// Each has a higher one.
    pub number: u64,
    /// It counts if the journal goes up to here.
    pub position: Position,
    /// What is in it.
    pub content: UnderWay<'a>,
}

impl<'a> Edition<'a> {
    /// Writes it to the empty `bytes`. Input and output fit [`EDITION_ROOM`], or it is none that can be read.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let UnderWay {
            standing,
            consumed,
            input,
            produced,
            output,
            begun,
        } = self.content;
        bytes.extend_from_slice(&IDENT);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        let lens = [input.len() as u32, output.len() as u32];
        let Position { generation, frames } = self.position;
        for word in [
            generation, frames, standing, consumed, produced, begun, lens[0], lens[1],
        ] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(input);
        bytes.extend_from_slice(output);
        let sum = sum_of(&bytes[..SUM], &bytes[HEADER..]);
        bytes[SUM..HEADER].copy_from_slice(&sum.to_le_bytes());
    }

    /// Reads the one at the beginning of `bytes`.
    ///
    /// # Errors
    ///
    /// [`NoEdition`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, NoEdition> {
        let (header, body) = bytes
            .split_first_chunk::<HEADER>()
            .ok_or(NoEdition::Damaged)?;
        if header[..8] == [0; 8] {
            return Err(NoEdition::Empty);
        }
        let long = |at: usize| {
            let mut long = [0; 8];
            long.copy_from_slice(&header[at..at + 8]);
            u64::from_le_bytes(long)
        };
        // Two words of 32 bits.
        let pair = |at: usize| (long(at) as u32, (long(at) >> 32) as u32);
        let (input_len, output_len) = pair(40);
        let cut = |bytes: &'a [u8], len: u32| bytes.split_at_checked(len as usize);
        let (input, rest) = cut(body, input_len).ok_or(NoEdition::Damaged)?;
        let (output, _) = cut(rest, output_len).ok_or(NoEdition::Damaged)?;
        let body = &body[..input.len() + output.len()];
        let ((standing, consumed), (produced, begun)) = (pair(24), pair(32));
        let (generation, frames) = pair(16);
        if header[..8] != IDENT
            || long(SUM) != sum_of(&header[..SUM], body)
            || begun > output_len
            || body.len() > EDITION_ROOM
        {
            return Err(NoEdition::Damaged);
        }
        Ok(Self {
            number: long(8),
            position: Position { generation, frames },
            content: UnderWay {
                standing,
                consumed,
                input,
                produced,
                output,
                begun,
            },
        })
    }
}

/// Why there is no edition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoEdition {
    /// Nothing was written there.
    Empty,
    /// It is not whole, or not as it was written.
    Damaged,
}

fn sum_of(header: &[u8], body: &[u8]) -> u64 {
    checksum(checksum(0, header), body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_or_changed_is_not() {
        let edition = Edition {
            number: 1 << 40 | 7,
            position: Position {
                generation: 3,
                frames: 4,
            },
            content: UnderWay {
                standing: 5,
                consumed: u32::MAX,
                input: b"half a request",
                produced: 6,
                output: b"st of one, and another",
                begun: 10,
            },
        };
        let mut bytes = Vec::new();
        edition.write(&mut bytes);
        assert_eq!(Edition::read(&bytes), Ok(edition));
        let longer = [&bytes[..], b"older bytes"].concat();
        assert_eq!(Edition::read(&longer), Ok(edition));
        for at in 0..bytes.len() {
            assert_eq!(Edition::read(&bytes[..at]), Err(NoEdition::Damaged));
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert_eq!(
                Edition::read(&changed),
                Err(NoEdition::Damaged),
                "byte {at}"
            );
        }
        assert_eq!(Edition::read(&vec![0; EDITION]), Err(NoEdition::Empty));
    }

    #[test]
    fn more_than_fits_and_more_begun_than_there_is_are_no_edition() {
        let room = [1; EDITION_ROOM];
        let read = |output: &[u8], begun| {
            let content = UnderWay {
                input: &room,
                output,
                begun,
                ..UnderWay::default()
            };
            let (number, position) = (1, Position::default());
            let mut bytes = Vec::new();
            Edition {
                number,
                position,
                content,
            }
            .write(&mut bytes);
            Edition::read(&bytes).map(drop)
        };
        assert_eq!(read(&[], 0), Ok(()));
        assert_eq!(read(&[], 1), Err(NoEdition::Damaged));
        assert_eq!(read(&[1], 0), Err(NoEdition::Damaged));
    }
}
