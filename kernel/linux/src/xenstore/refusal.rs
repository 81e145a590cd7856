//! Answers in place of the kernel's xenstore device, for requests that it refuses without one.
//!
//! Most of what xenstored refuses comes back as an answer. But the device sets watches itself, and tells of one that cannot be set by failing
//! the write; and it fails a write that is longer than its buffer (Linux, drivers/xen/xenbus/xenbus_dev_frontend.c, `xenbus_file_write`).
//! Either way it has forgotten the message, and takes the next one.

use rustix::io::Errno;

use super::framing::{HEADER, LENGTH_AT, Type};

/// The answer that xenstored itself would have given: the request's header with another type and length, and the error's name.
pub(super) fn answer(request: &[u8], errno: Errno) -> Option<Vec<u8>> {
    let header = request.get(..HEADER)?;
    let name = name(errno);
    let length = u32::try_from(name.len() + 1).ok()?;
    let mut answer = header.to_vec();
    answer[..4].copy_from_slice(&Type::ERROR.0.to_ne_bytes());
    answer[LENGTH_AT..].copy_from_slice(&length.to_ne_bytes());
    answer.extend(name.as_bytes());
    answer.push(0);
    Some(answer)
}

/// The name by which the error travels (io/xs_wire.h, `xsd_errors`).
fn name(errno: Errno) -> &'static str {
    match errno {
        Errno::INVAL => "EINVAL",
        Errno::ACCESS => "EACCES",
        Errno::EXIST => "EEXIST",
        Errno::NOENT => "ENOENT",
        Errno::NOMEM => "ENOMEM",
        Errno::NOSPC => "ENOSPC",
        Errno::NOSYS => "ENOSYS",
        Errno::ROFS => "EROFS",
        Errno::BUSY => "EBUSY",
        Errno::TOOBIG => "E2BIG",
        Errno::PERM => "EPERM",
        _ => "EIO",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_the_requests_ids() {
        let header = [4u32, 17, 3, 5].map(u32::to_ne_bytes).concat();
        let request = [&header[..], b"/a\0b\0"].concat();
        let expected = [16u32, 17, 3, 7].map(u32::to_ne_bytes).concat();
        let expected = [&expected[..], b"ENOSPC\0"].concat();
        assert_eq!(answer(&request, Errno::NOSPC), Some(expected));
        assert_eq!(answer(&request[..15], Errno::NOSPC), None);
        let unknown = answer(&request, Errno::PIPE).unwrap();
        assert!(unknown.ends_with(b"EIO\0"));
    }
}
