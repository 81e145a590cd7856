//! Whether a request that failed may be tried at another back end.

/// Whether a request may be sent twice (RFC 9110 §9.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeatability {
    /// Its method is idempotent: GET, HEAD, OPTIONS, PUT, DELETE.
    Idempotent,
    /// It might be done twice.
    Once,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing of it was sent.
    NotSent,
    /// Something of it was sent; whether it was done nobody knows.
    Sent,
    /// The client has something of the answer.
    Answered,
}

/// Whether all of a request's content is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// There is none, nothing of it was taken, or what was taken was kept.
    Kept,
    /// Something of it was taken and is gone.
    Spent,
}

/// An attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which one it was, counted from 1.
    pub number: u32,
    /// Whether the request may be sent twice.
    pub repeatability: Repeatability,
    /// How far it came.
    pub progress: Progress,
    /// Whether its content can be sent again.
    pub contents: Contents,
}

/// Whether there may be another attempt, of so many at the most.
pub const fn may_retry(attempt: Attempt, most: u32) -> bool {
    if attempt.number >= most {
        return false;
    }
    matches!(
        (attempt.progress, attempt.repeatability, attempt.contents),
        (Progress::NotSent, _, Contents::Kept)
            | (Progress::Sent, Repeatability::Idempotent, Contents::Kept)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use Contents::{Kept, Spent};
    use Progress::{Answered, NotSent, Sent};
    use Repeatability::{Idempotent, Once};

    #[test]
    fn what_might_be_done_twice_is_not_repeated() {
        for (repeatability, progress, contents, expected) in [
            (Idempotent, NotSent, Kept, true),
            (Idempotent, NotSent, Spent, false),
            (Idempotent, Sent, Kept, true),
            (Idempotent, Sent, Spent, false),
            (Idempotent, Answered, Kept, false),
            (Once, NotSent, Kept, true),
            (Once, Sent, Kept, false),
            (Once, Answered, Kept, false),
        ] {
            let mut attempt = Attempt {
                number: 1,
                repeatability,
                progress,
                contents,
            };
            assert_eq!(may_retry(attempt, 2), expected, "{attempt:?}");
            attempt.number = 2;
            assert!(!may_retry(attempt, 2));
        }
    }
}
