//! Where messages begin and end in the streams to and from xenstored.

/// Bytes of a message's header (io/xs_wire.h, `struct xsd_sockmsg`): type, request, transaction, length of what follows.
pub(super) const HEADER: usize = 16;
/// Where in it the length is.
pub(super) const LENGTH_AT: usize = 12;

/// The type of a message (io/xs_wire.h, `enum xsd_sockmsg_type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Type(pub(super) u32);

impl Type {
    /// `XS_WATCH_EVENT`: the only one that is no answer to a request.
    pub(super) const WATCH_EVENT: Self = Self(15);
    /// `XS_ERROR`.
    pub(super) const ERROR: Self = Self(16);
}

/// Follows a stream of messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    header: [u8; HEADER],
    /// Bytes of the header that have passed.
    known: usize,
    /// Bytes behind the header that have passed.
    behind: usize,
}

impl Framing {
    /// Whether nothing of a message has passed yet.
    pub(super) const fn is_between(&self) -> bool {
        self.known == 0
    }

    /// How many of `bytes`, which come next, belong to the message that is passing.
    pub(super) fn within(&self, bytes: &[u8]) -> usize {
        let mut ahead = *self;
        // What is missing of the header; only then the length is known.
        let head = (HEADER - ahead.known).min(bytes.len());
        ahead.note_header(&bytes[..head]);
        match ahead.length() {
            None => head,
            Some(length) => bytes.len().min(head + (length - ahead.behind.min(length))),
        }
    }

    /// Lets `bytes` pass, which are no more than [`within`](Self::within) the message. The message's type, if it has passed whole.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Option<Type> {
        let head = (HEADER - self.known).min(bytes.len());
        self.note_header(&bytes[..head]);
        self.behind += bytes.len() - head;
        if self.behind < self.length()? {
            return None;
        }
        let passed = Type(self.word(0));
        *self = Self::default();
        Some(passed)
    }

    fn note_header(&mut self, bytes: &[u8]) {
        self.header[self.known..self.known + bytes.len()].copy_from_slice(bytes);
        self.known += bytes.len();
    }

    /// Bytes behind the header, once it is whole.
    fn length(&self) -> Option<usize> {
        (self.known == HEADER).then_some(self.word(LENGTH_AT) as usize)
    }

    fn word(&self, at: usize) -> u32 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|byte| self.header[at + byte]);
        u32::from_ne_bytes([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0xaa; HEADER + length];
        bytes[..4].copy_from_slice(&kind.to_ne_bytes());
        bytes[LENGTH_AT..HEADER].copy_from_slice(&(length as u32).to_ne_bytes());
        bytes
    }

    /// Passes `stream` in pieces of at most `piece` bytes; returns where messages end, and their types.
    fn ends(stream: &[u8], piece: usize) -> Vec<(usize, Type)> {
        let mut framing = Framing::default();
        let (mut at, mut ends) = (0, Vec::new());
        while at < stream.len() {
            let next = &stream[at..stream.len().min(at.saturating_add(piece))];
            let count = framing.within(next);
            assert!((1..=next.len()).contains(&count));
            let passed = framing.pass(&next[..count]);
            at += count;
            ends.extend(passed.map(|passed| (at, passed)));
        }
        ends
    }

    #[test]
    fn messages_end_where_their_lengths_say_whatever_the_pieces() {
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for (kind, length) in [0, 1, 5, 16, 17, 4000, 0, 0, 31].into_iter().enumerate() {
            stream.extend(message(kind as u32, length));
            expected.push((stream.len(), Type(kind as u32)));
        }
        for piece in (1..=50).chain([usize::MAX]) {
            assert_eq!(ends(&stream, piece), expected, "in pieces of {piece}");
        }
    }
}
