//! The OPT record at an answer's end (RFC 6891).

use alloc::vec::Vec;

use super::cookie::Cookie;
use crate::wire::Options;

/// The octets of OPT without options.
pub(super) const OPT_LEN: usize = 11;
/// The octets of the option with a cookie and its head.
pub(super) const COOKIE_LEN: usize = 4 + 24;

/// The OPT of an answer.
pub(super) struct Opt {
    pub(super) options: Options,
    /// The upper bits of the response code.
    pub(super) rcode_high: u8,
    pub(super) cookie: Option<Cookie>,
}

impl Opt {
    /// Appends it (section 6.1.2), with the size of datagrams that are taken.
    pub(super) fn write(&self, udp_size: u16, out: &mut Vec<u8>) {
        let flags = match self.options {
            Options::Plain => 0,
            Options::Dnssec => 0x80,
        };
        let [high, low] = udp_size.to_be_bytes();
        let len = self.cookie.map_or(0, |_| COOKIE_LEN as u8);
        out.extend_from_slice(&[0, 0, 41, high, low, self.rcode_high, 0, flags, 0, 0, len]);
        if let Some(cookie) = &self.cookie {
            out.extend_from_slice(&[0, 10, 0, 24]);
            out.extend_from_slice(cookie);
        }
    }
}
