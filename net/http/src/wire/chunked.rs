//! The chunked transfer coding of request bodies (RFC 9112 §7.1), decoded in place.

use super::ascii::is_line_byte;
use super::path::hex;

/// Why a chunked body was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkedError {
    /// The coding's syntax is broken.
    Malformed,
    /// The body, or its extensions and trailers, are over the limit.
    TooLarge,
}

/// What a step of the decoder did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Coded bytes taken from the front.
    pub consumed: usize,
    /// Bytes of the body, which now stand at the front.
    pub produced: usize,
}

/// Limits of what goes with the data: extensions and trailers together (RFC 9112 §7.1.1 asks for such a limit).
const OVERHEAD: usize = 1024;

/// Digits in a chunk's size, leading zeros included: as many as a u64 has.
const SIZE_DIGITS: u8 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a size, after so many digits.
    Size { digits: u8 },
    /// After the semicolon of an extension.
    Extension,
    /// After the carriage return of a size's line.
    SizeEnd,
    /// In the data of a chunk, of which `remaining` bytes are still to come.
    Data,
    /// After the data.
    DataEnd,
    /// After the carriage return after the data.
    DataFeed,
    /// At the beginning of a line after the last chunk.
    TrailerStart,
    /// Within a trailer field, which is dropped.
    Trailer,
    /// After the carriage return of a trailer field.
    TrailerFeed,
    /// After the carriage return of the last, empty line.
    LastFeed,
    /// All is read.
    Done,
}

/// Decodes a chunked body that arrives in pieces. Extensions and trailers are checked for their bytes and dropped;
/// white space around a size, by which programs disagree, is refused.
#[derive(Clone, Copy, Debug)]
pub struct ChunkedDecoder {
    state: State,
    /// The size being read, then what is left of the chunk.
    remaining: u64,
    /// How many more bytes of data the limit allows.
    allowance: u64,
    overhead: usize,
}

impl ChunkedDecoder {
    /// A decoder at the beginning of a body of at most `limit` bytes.
    pub const fn new(limit: u64) -> Self {
        Self {
            state: State::Size { digits: 0 },
            remaining: 0,
            allowance: limit,
            overhead: 0,
        }
    }

    /// Whether the whole body, trailers included, was read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How many of the bytes to come belong to this body at least; 0 once it is done. Who reads no more than that from
    /// a stream never takes a byte of the next request.
    pub fn wanted(&self) -> usize {
        // What follows the data at least: CRLF, then the last chunk "0" CRLF, then an empty line.
        const AFTER_DATA: usize = 7;
        match self.state {
            State::Size { digits: 0 } => 5,
            State::Size { .. } | State::Extension => 4,
            State::SizeEnd => 3,
            State::Data => usize::try_from(self.remaining)
                .unwrap_or(usize::MAX)
                .saturating_add(AFTER_DATA),
            State::DataEnd => AFTER_DATA,
            State::DataFeed => AFTER_DATA - 1,
            State::TrailerStart => 2,
            State::Trailer => 4,
            State::TrailerFeed => 3,
            State::LastFeed => 1,
            State::Done => 0,
        }
    }

    /// Decodes `coded` in place, until it is used up, the body ends, or `space` bytes are produced.
    pub fn decode(&mut self, coded: &mut [u8], space: usize) -> Result<Decoded, ChunkedError> {
        let (mut consumed, mut produced) = (0, 0);
        while let Some(&byte) = coded.get(consumed) {
            match self.state {
                State::Done => break,
                State::Data => {
                    let run = usize::try_from(self.remaining)
                        .unwrap_or(usize::MAX)
                        .min(coded.len() - consumed)
                        .min(space - produced);
                    if run == 0 {
                        break;
                    }
                    coded.copy_within(consumed..consumed + run, produced);
                    consumed += run;
                    produced += run;
                    self.remaining -= run as u64;
                    if self.remaining == 0 {
                        self.state = State::DataEnd;
                    }
                }
                _ => {
                    self.state = self.framing_byte(byte)?;
                    consumed += 1;
                }
            }
        }
        Ok(Decoded { consumed, produced })
    }

    /// Takes one byte that is not data.
    fn framing_byte(&mut self, byte: u8) -> Result<State, ChunkedError> {
        match (self.state, byte) {
            (State::Size { digits: 1.. }, b'\r') => Ok(State::SizeEnd),
            (State::Size { digits: 1.. }, b';') => Ok(State::Extension),
            (State::Size { digits }, _) => {
                let digit = hex(byte)
                    .filter(|_| digits < SIZE_DIGITS)
                    .ok_or(ChunkedError::Malformed)?;
                self.remaining = self.remaining << 4 | u64::from(digit);
                Ok(State::Size { digits: digits + 1 })
            }
            (State::Extension, b'\r') => Ok(State::SizeEnd),
            (State::SizeEnd, b'\n') if self.remaining == 0 => Ok(State::TrailerStart),
            (State::SizeEnd, b'\n') => {
                self.allowance = self
                    .allowance
                    .checked_sub(self.remaining)
                    .ok_or(ChunkedError::TooLarge)?;
                Ok(State::Data)
            }
            (State::DataEnd, b'\r') => Ok(State::DataFeed),
            (State::DataFeed, b'\n') => Ok(State::Size { digits: 0 }),
            (State::TrailerStart, b'\r') => Ok(State::LastFeed),
            (State::TrailerStart, b' ' | b'\t' | b':') => Err(ChunkedError::Malformed),
            (State::Trailer, b'\r') => Ok(State::TrailerFeed),
            (State::TrailerFeed, b'\n') => Ok(State::TrailerStart),
            (State::LastFeed, b'\n') => Ok(State::Done),
            (State::Extension, _) if is_line_byte(byte) => self.dropped_byte(State::Extension),
            (State::TrailerStart | State::Trailer, _) if is_line_byte(byte) => {
                self.dropped_byte(State::Trailer)
            }
            _ => Err(ChunkedError::Malformed),
        }
    }

    /// Counts a byte that is dropped.
    fn dropped_byte(&mut self, next: State) -> Result<State, ChunkedError> {
        self.overhead += 1;
        if self.overhead > OVERHEAD {
            Err(ChunkedError::TooLarge)
        } else {
            Ok(next)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::vec::Vec;

    /// Decodes as a stream would deliver it: no more than `wanted`, and no more than `piece`, at a time.
    fn decode(coded: &[u8], limit: u64, piece: usize) -> Result<(Vec<u8>, usize), ChunkedError> {
        let mut decoder = ChunkedDecoder::new(limit);
        let (mut body, mut at) = (Vec::new(), 0);
        while !decoder.is_done() && at < coded.len() {
            let end = coded.len().min(at + piece.min(decoder.wanted()));
            let mut bytes = coded[at..end].to_vec();
            let step = decoder.decode(&mut bytes, usize::MAX)?;
            assert_eq!(step.consumed, bytes.len());
            body.extend_from_slice(&bytes[..step.produced]);
            at = end;
        }
        assert_eq!(decoder.is_done(), decoder.wanted() == 0);
        Ok((body, at))
    }

    #[test]
    fn bodies_are_decoded() {
        for (coded, expected) in [
            (&b"0\r\n\r\n"[..], &b""[..]),
            (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
            (
                b"1\r\na\r\n00A\r\n0123456789\r\n000\r\n\r\n",
                b"a0123456789",
            ),
            (b"1;a=b;c=\"d\"\r\na\r\n0;x\r\nT: v\r\nU:\r\n\r\n", b"a"),
            (b"f\r\n0123456789\r\nabc\r\n0\r\n\r\n", b"0123456789\r\nabc"),
        ] {
            for piece in [1, 2, 3, 1000] {
                let mut bytes = coded.to_vec();
                bytes.extend_from_slice(b"GET / HTTP/1.1");
                assert_eq!(
                    decode(&bytes, 100, piece),
                    Ok((expected.to_vec(), coded.len()))
                );
            }
        }
    }

    #[test]
    fn malformed_codings_are_refused() {
        for coded in [
            &b"\r\n"[..],
            b";a\r\n",
            b"g\r\n",
            b"0x1\r\n",
            b"+1\r\n",
            b"-1\r\n",
            b" 1\r\n",
            b"1 \r\na\r\n",
            b"1 ;a\r\na\r\n",
            b"1\na\r\n",
            b"1\r\r\na",
            b"1\r\nab\r\n",
            b"1\r\na\n0\r\n\r\n",
            b"1\r\na0\r\n",
            b"00000000000000001\r\na",
            b"1;\na\r\n",
            b"1;\0\r\n",
            b"0\r\n T: v\r\n\r\n",
            b"0\r\n: v\r\n\r\n",
            b"0\r\nT: v\n\r\n",
            b"0\r\n\rx",
        ] {
            assert_eq!(
                decode(coded, 100, 1000),
                Err(ChunkedError::Malformed),
                "{}",
                coded.escape_ascii()
            );
        }
    }

    #[test]
    fn limits_hold() {
        assert!(decode(b"4\r\nabcd\r\n0\r\n\r\n", 4, 9).is_ok());
        assert_eq!(decode(b"5\r\n", 4, 9), Err(ChunkedError::TooLarge));
        assert_eq!(
            decode(b"3\r\nabc\r\n2\r\n", 4, 9),
            Err(ChunkedError::TooLarge)
        );
        assert_eq!(
            decode(b"ffffffffffffffff\r\n", 4, 9),
            Err(ChunkedError::TooLarge)
        );
        let long = format!("1;{}\r\n", "a".repeat(OVERHEAD + 1));
        assert_eq!(decode(long.as_bytes(), 4, 99), Err(ChunkedError::TooLarge));
        let trailers = format!("0\r\n{}\r\n", "a:\r\n".repeat(OVERHEAD / 2 + 1));
        assert_eq!(
            decode(trailers.as_bytes(), 4, 99),
            Err(ChunkedError::TooLarge)
        );
    }

    #[test]
    fn space_limits_a_step() {
        let mut decoder = ChunkedDecoder::new(100);
        let mut coded = *b"4\r\nabcd\r\n0\r\n\r\nX";
        let first = decoder.decode(&mut coded, 3).expect("well-formed");
        assert_eq!(
            (first, &coded[..3]),
            (
                Decoded {
                    consumed: 6,
                    produced: 3
                },
                &b"abc"[..]
            )
        );
        let second = decoder.decode(&mut coded[6..], 3).expect("well-formed");
        assert_eq!(
            (second, coded[6]),
            (
                Decoded {
                    consumed: 8,
                    produced: 1
                },
                b'd'
            )
        );
        assert!(decoder.is_done());
    }

    proptest! {
        #[test]
        fn chunks_join_to_the_body(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..6),
            piece in 1usize..30,
        ) {
            let mut coded = Vec::new();
            for chunk in &chunks {
                coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                coded.extend_from_slice(chunk);
                coded.extend_from_slice(b"\r\n");
            }
            coded.extend_from_slice(b"0\r\n\r\n");
            let length = coded.len();
            coded.extend_from_slice(b"next");
            prop_assert_eq!(decode(&coded, 200, piece), Ok((chunks.concat(), length)));
        }

        #[test]
        fn any_bytes_are_safe(coded in proptest::collection::vec(any::<u8>(), 0..60), piece in 1usize..9) {
            let whole = decode(&coded, 40, 1000).map(|(body, _)| body);
            let pieces = decode(&coded, 40, piece).map(|(body, _)| body);
            prop_assert_eq!(whole, pieces);
        }
    }
}
