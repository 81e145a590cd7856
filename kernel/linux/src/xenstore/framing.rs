//! Where messages begin and end in what is written to xenstored.
//!
//! The kernel's xenstore device gathers writes until it has a whole message, and forgets what else was in the write which completed
//! it. So no write may go beyond the end of a message.

/// Bytes of a message's header (io/xs_wire.h, `struct xsd_sockmsg`): type, request, transaction, length of what follows.
const HEADER: usize = 16;
const LENGTH_AT: usize = 12;

/// Follows a stream of messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    header: [u8; HEADER],
    /// Bytes of the header that have been written.
    known: usize,
    /// Bytes behind the header that have been written.
    behind: usize,
}

impl Framing {
    /// How many of `bytes`, which come next, may go into one write.
    pub(super) fn writable(&self, bytes: &[u8]) -> usize {
        let mut ahead = *self;
        // What is missing of the header; only then the length is known.
        let head = (HEADER - ahead.known).min(bytes.len());
        ahead.note_header(&bytes[..head]);
        match ahead.length() {
            None => head,
            Some(length) => bytes.len().min(head + (length - ahead.behind.min(length))),
        }
    }

    /// `bytes` have been written, which are no more than [`writable`](Self::writable) allows.
    pub(super) fn written(&mut self, bytes: &[u8]) {
        let head = (HEADER - self.known).min(bytes.len());
        self.note_header(&bytes[..head]);
        self.behind += bytes.len() - head;
        if self.length().is_some_and(|length| self.behind >= length) {
            *self = Self::default();
        }
    }

    fn note_header(&mut self, bytes: &[u8]) {
        self.header[self.known..self.known + bytes.len()].copy_from_slice(bytes);
        self.known += bytes.len();
    }

    /// Bytes behind the header, once it is whole.
    fn length(&self) -> Option<usize> {
        let (_, length) = self.header.split_at(LENGTH_AT);
        let length: [u8; 4] = length.try_into().ok()?;
        (self.known == HEADER).then_some(u32::from_ne_bytes(length) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = vec![0xaa; HEADER + length];
        bytes[LENGTH_AT..HEADER].copy_from_slice(&(length as u32).to_ne_bytes());
        bytes
    }

    /// Writes `stream` in pieces of at most `piece` bytes; returns the ends of messages as the device would see them.
    fn ends(stream: &[u8], piece: usize) -> Vec<usize> {
        let mut framing = Framing::default();
        let (mut at, mut begun, mut ends) = (0, 0, Vec::new());
        while at < stream.len() {
            let next = &stream[at..stream.len().min(at + piece)];
            let count = framing.writable(next);
            assert!((1..=next.len()).contains(&count));
            framing.written(&next[..count]);
            at += count;
            let length = |start: usize| {
                let length = stream.get(start + LENGTH_AT..start + HEADER)?;
                Some(u32::from_ne_bytes(length.try_into().ok()?) as usize)
            };
            let end = begun + HEADER + length(begun).unwrap();
            assert!(at <= end, "a write went beyond the end of a message");
            if at == end {
                ends.push(end);
                begun = end;
            }
        }
        ends
    }

    #[test]
    fn no_write_goes_beyond_the_end_of_a_message() {
        let lengths = [0, 1, 5, 16, 17, 4000, 0, 0, 31];
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for length in lengths {
            stream.extend(message(length));
            expected.push(stream.len());
        }
        for piece in 1..=50 {
            assert_eq!(ends(&stream, piece), expected, "in pieces of {piece}");
        }
        assert_eq!(ends(&stream, usize::MAX / 2), expected);
    }
}
