//! The header of a message (RFC 1035 section 4.1.1).

/// Its length in octets.
pub(crate) const HEADER_LEN: usize = 12;

// The flags are in the octets 2 and 3.
pub(crate) const QR: u8 = 0x80;
pub(crate) const AA: u8 = 0x04;
pub(crate) const TC: u8 = 0x02;
pub(crate) const RD: u8 = 0x01;
/// Checking disabled (RFC 4035 section 3.2.2).
pub(crate) const CD: u8 = 0x10;

/// Kinds of queries (RFC 6895 section 2.2).
pub(crate) mod opcode {
    pub(crate) const QUERY: u8 = 0;
    pub(crate) const NOTIFY: u8 = 4;
}

/// Response codes (RFC 6895 section 2.3).
pub(crate) mod rcode {
    pub(crate) const NOERROR: u16 = 0;
    pub(crate) const FORMERR: u16 = 1;
    pub(crate) const SERVFAIL: u16 = 2;
    pub(crate) const NXDOMAIN: u16 = 3;
    pub(crate) const NOTIMP: u16 = 4;
    pub(crate) const REFUSED: u16 = 5;
    pub(crate) const YXDOMAIN: u16 = 6;
    pub(crate) const NOTAUTH: u16 = 9;
    /// Its upper bits stand in OPT (RFC 6891 section 9).
    pub(crate) const BADVERS: u16 = 16;
}
