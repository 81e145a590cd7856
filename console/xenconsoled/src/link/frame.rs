//! What goes over the link between a console daemon in a domain of its own and its helper in domain 0: frames.
//!
//! A frame is a kind (one byte), a domain (two), a length (two, both little-endian), and so many bytes.

use alloc::vec::Vec;

use morgana_hal::DomId;

/// The longest content of a frame, in bytes.
pub(crate) const MAX_CONTENT: usize = 2048;
const HEADER: usize = 5;

/// What a frame says of its domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    /// To the helper: it is served from now on, and needs a log and a terminal.
    Open = 1,
    /// To the helper: bytes for the terminal.
    Shown = 2,
    /// To the helper: bytes for the log.
    Logged = 3,
    /// To the helper: it is gone.
    Close = 4,
    /// From the helper: bytes that were typed.
    Typed = 5,
    /// Either way: so many bytes more may be sent (a `u32`, little-endian): of those shown to the daemon, of those typed to the helper.
    Credit = 6,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Open,
        Self::Shown,
        Self::Logged,
        Self::Close,
        Self::Typed,
        Self::Credit,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == byte)
    }
}

/// A frame that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    pub(crate) domain: DomId,
    pub(crate) content: &'a [u8],
}

/// The other end sends what is no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoFrame;

impl Frame<'_> {
    /// How long it is with its header.
    pub(crate) const fn len(content: usize) -> usize {
        HEADER + content
    }

    /// As it is sent. Its content has at most [`MAX_CONTENT`] bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let [low, high] = self.domain.number().to_le_bytes();
        let [len_low, len_high] = (self.content.len() as u16).to_le_bytes();
        let mut bytes = Vec::with_capacity(Self::len(self.content.len()));
        bytes.extend([self.kind as u8, low, high, len_low, len_high]);
        bytes.extend_from_slice(self.content);
        bytes
    }
}

/// Finds frames in a stream.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    /// How many of the bytes were frames that have been taken.
    taken: usize,
}

impl Frames {
    /// Adds what was read.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if it is whole.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>, NoFrame> {
        let rest = &self.bytes[self.taken..];
        let Some((&[kind, low, high, len_low, len_high], content)) = rest.split_first_chunk()
        else {
            return Ok(None);
        };
        let len = usize::from(u16::from_le_bytes([len_low, len_high]));
        let kind = Kind::of(kind)
            .filter(|_| len <= MAX_CONTENT)
            .ok_or(NoFrame)?;
        let Some(content) = content.get(..len) else {
            return Ok(None);
        };
        self.taken += HEADER + len;
        Ok(Some(Frame {
            kind,
            domain: DomId::new(u16::from_le_bytes([low, high])),
            content,
        }))
    }
}

/// The bytes of a credit.
pub(crate) fn credit(content: &[u8]) -> Result<usize, NoFrame> {
    let bytes = content.try_into().map_err(|_| NoFrame)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: Kind, domain: u16, content: &[u8]) -> Frame<'_> {
        Frame {
            kind,
            domain: DomId::new(domain),
            content,
        }
    }

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let long = [7; MAX_CONTENT];
        let five = 5u32.to_le_bytes();
        let sent = [
            frame(Kind::Open, 1, b""),
            frame(Kind::Shown, 300, b"hello"),
            frame(Kind::Logged, 1, &long),
            frame(Kind::Credit, 2, &five),
        ];
        let bytes: Vec<u8> = sent.iter().flat_map(Frame::bytes).collect();
        for piece in [1, 3, 100, bytes.len()] {
            let mut frames = Frames::default();
            let mut found = 0;
            for piece in bytes.chunks(piece) {
                frames.add(piece);
                while let Some(frame) = frames.next().unwrap() {
                    assert_eq!(frame, sent[found]);
                    found += 1;
                }
            }
            assert_eq!(found, sent.len());
        }
        assert_eq!(credit(&five), Ok(5));
        assert_eq!(credit(b"12345"), Err(NoFrame));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for bytes in [[0, 0, 0, 0, 0], [7, 0, 0, 0, 0], [3, 0, 0, 1, 8]] {
            let mut frames = Frames::default();
            frames.add(&bytes);
            assert_eq!(frames.next(), Err(NoFrame));
        }
    }
}
