//! Errors in words.

use morgana_xenstore_client::{Errno, Error};

/// What went wrong, as one would say it.
pub(crate) fn words(error: Error) -> String {
    match error {
        Error::Refused(errno) => refusal(errno).to_owned(),
        Error::TooManyChildren => {
            "has more children than can be listed, or they change too fast".to_owned()
        }
        error => error.to_string(),
    }
}

const fn refusal(errno: Errno) -> &'static str {
    match errno {
        Errno::NotFound => "not there",
        Errno::Access => "permission denied",
        Errno::NotPermitted => "not permitted to this domain",
        Errno::Invalid => "xenstored takes this for invalid",
        Errno::Exists => "there already",
        Errno::IsDirectory => "has nodes below it",
        Errno::NotEmpty => "is not empty",
        Errno::NoSpace => "one of this domain's quotas is used up",
        Errno::NoMemory => "xenstored has no memory left for this domain",
        Errno::Io => "xenstored failed (input/output error)",
        Errno::NotSupported => "this xenstored does not know how to do that",
        Errno::ReadOnly => "may only be read",
        Errno::Busy => "xenstored is busy: too many transactions",
        Errno::Again => "others' changes got in the way",
        Errno::Connected => "connected already",
        Errno::TooBig => "too long",
    }
}
