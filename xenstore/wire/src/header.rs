//! The header of every packet (io/xs_wire.h, `struct xsd_sockmsg`).

use core::fmt;

use crate::Operation;

/// The header's length in bytes.
pub const HEADER_LEN: usize = 16;

/// The greatest payload in bytes, both ways (io/xs_wire.h, `XENSTORE_PAYLOAD_MAX`).
pub const PAYLOAD_MAX: usize = 4096;

/// What a client names its requests by. The reply has the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u32);

/// A transaction of one connection, named by the server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TransactionId(pub u32);

impl TransactionId {
    /// No transaction: each request stands for itself.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {}", self.0)
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transaction {}", self.0)
    }
}

/// A packet's first 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The operation's number, known or not.
    pub code: u32,
    /// Which request this is, or answers.
    pub request: RequestId,
    /// The transaction that it belongs to.
    pub transaction: TransactionId,
    /// The payload's length in bytes.
    pub len: u32,
}

impl Header {
    /// Reads a header; any bytes are one.
    pub fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Self {
        let word = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self {
            code: word(0),
            request: RequestId(word(4)),
            transaction: TransactionId(word(8)),
            len: word(12),
        }
    }

    /// The header as it goes over the wire.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let words = [self.code, self.request.0, self.transaction.0, self.len];
        for (into, word) in bytes.chunks_exact_mut(4).zip(words) {
            into.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The operation, if its number is a known one.
    pub fn operation(&self) -> Option<Operation> {
        Operation::from_code(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_the_c_struct_has_them() {
        let bytes = [2, 0, 0, 0, 1, 2, 0, 0, 3, 0, 0, 4, 5, 0, 0, 0];
        let header = Header::from_bytes(&bytes);
        assert_eq!(header.operation(), Some(Operation::Read));
        assert_eq!(header.request, RequestId(0x201));
        assert_eq!(header.transaction, TransactionId(0x0400_0003));
        assert_eq!(header.len, 5);
        assert_eq!(header.to_bytes(), bytes);
    }
}
