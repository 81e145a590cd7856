//! Making packets.

use alloc::vec::Vec;
use core::fmt;

use crate::{HEADER_LEN, Header, PAYLOAD_MAX, RequestId, TransactionId};

/// The payload would be over [`PAYLOAD_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PayloadTooLong;

impl fmt::Display for PayloadTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the xenstore payload is over {PAYLOAD_MAX} bytes")
    }
}

impl core::error::Error for PayloadTooLong {}

/// Appends a packet to `out`; its payload is what `payload` appends.
///
/// # Errors
///
/// [`PayloadTooLong`]; `out` is as before then.
pub fn encode(
    code: u32,
    request: RequestId,
    transaction: TransactionId,
    out: &mut Vec<u8>,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Result<(), PayloadTooLong> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    payload(out);
    let len = out.len() - start - HEADER_LEN;
    if len > PAYLOAD_MAX {
        out.truncate(start);
        return Err(PayloadTooLong);
    }
    let header = Header {
        code,
        request,
        transaction,
        len: len as u32,
    };
    out[start..start + HEADER_LEN].copy_from_slice(&header.to_bytes());
    Ok(())
}

/// Appends a text and a NUL.
pub(crate) fn put(out: &mut Vec<u8>, text: impl fmt::Display) {
    struct Writer<'a>(&'a mut Vec<u8>);
    impl fmt::Write for Writer<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // Writing into a Vec does not fail.
    let _ = fmt::Write::write_fmt(&mut Writer(out), format_args!("{text}\0"));
}
