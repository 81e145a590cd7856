//! Cutting a stream of bytes into packets.

use alloc::boxed::Box;
use core::fmt;

use crate::{HEADER_LEN, Header, PAYLOAD_MAX};

/// One packet, in the decoder's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// Its header; `len` is the payload's length.
    pub header: Header,
    /// Its payload.
    pub payload: &'a [u8],
}

/// A header claims a payload over [`PAYLOAD_MAX`]: where the next packet begins cannot be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadStream {
    /// The length that the header claims.
    pub len: u32,
}

impl fmt::Display for BadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.len;
        write!(
            f,
            "a xenstore packet claims a payload of {len} bytes, {PAYLOAD_MAX} are allowed"
        )
    }
}

impl core::error::Error for BadStream {}

const CAPACITY: usize = HEADER_LEN + PAYLOAD_MAX;

/// Collects bytes until a packet is whole. Its buffer holds exactly one packet of the greatest size.
#[derive(Debug)]
pub struct Decoder {
    buffer: Box<[u8]>,
    /// Where the next packet begins.
    start: usize,
    /// Where the received bytes end.
    end: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the beginning of a packet.
    pub fn new() -> Self {
        Self {
            buffer: alloc::vec![0; CAPACITY].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    /// Where the next bytes go; then call [`filled`](Self::filled). Not empty once [`next`](Self::next) has answered `None`.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.buffer[self.end..]
    }

    /// The first `len` bytes of the space are received now.
    ///
    /// # Panics
    ///
    /// If that is more than the space has.
    pub fn filled(&mut self, len: usize) {
        assert!(
            len <= CAPACITY - self.end,
            "more bytes received than there was space"
        );
        self.end += len;
    }

    /// The next packet, if it is whole. Not an `Iterator`: the packet lies in the decoder.
    ///
    /// # Errors
    ///
    /// [`BadStream`], now and ever after.
    #[expect(clippy::should_implement_trait, reason = "it lends")]
    pub fn next(&mut self) -> Result<Option<Packet<'_>>, BadStream> {
        let received = &self.buffer[self.start..self.end];
        let Some((header, rest)) = received.split_first_chunk::<HEADER_LEN>() else {
            return Ok(None);
        };
        let header = Header::from_bytes(header);
        let len = header.len as usize;
        if len > PAYLOAD_MAX {
            return Err(BadStream { len: header.len });
        }
        let Some(payload) = rest.get(..len) else {
            return Ok(None);
        };
        self.start += HEADER_LEN + len;
        Ok(Some(Packet { header, payload }))
    }

    /// Whether there is something to be had by [`next`](Self::next): a packet, or an error.
    pub fn has_next(&self) -> bool {
        let received = self.received();
        received
            .split_first_chunk::<HEADER_LEN>()
            .is_some_and(|(header, rest)| {
                let len = Header::from_bytes(header).len as usize;
                len > PAYLOAD_MAX || rest.len() >= len
            })
    }

    /// The bytes that were received and not taken: packets, of which the last may be unfinished.
    pub fn received(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether no byte of an unfinished packet is there.
    pub fn is_between_packets(&self) -> bool {
        self.start == self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestId, TransactionId};

    /// A length that a signed number of 31 or 32 bits cannot hold is only too long, and stays so.
    #[test]
    fn xsa_420_lengths_are_not_signed() {
        for len in [4097, 1 << 30, (1 << 30) + 5, 1 << 31, u32::MAX] {
            let header = Header {
                code: 2,
                request: RequestId(1),
                transaction: TransactionId::NONE,
                len,
            };
            let mut decoder = Decoder::new();
            let bytes = header.to_bytes();
            decoder.space()[..bytes.len()].copy_from_slice(&bytes);
            decoder.filled(bytes.len());
            for _ in 0..2 {
                assert_eq!(decoder.next().map(|_| ()), Err(BadStream { len }));
            }
        }
    }
}
