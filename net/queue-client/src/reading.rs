//! What the service answers: numbers in JSON and in fields. It is believed as far as it makes sense.

use alloc::vec::Vec;

use morgana_queue::{DeadLetter, JobId, MAX_PAYLOAD, QueueError, Statistics};

use crate::base64::decode;

/// The number behind `"name":`. Nothing that the service answers has a quote within a string.
pub(crate) fn number(text: &[u8], name: &str) -> Result<u64, QueueError> {
    let rest = behind(text, name).ok_or(QueueError::Peer)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits_to_number(&rest[..digits])
}

/// A field's value, or any other text, as a number.
pub(crate) fn digits_to_number(digits: &[u8]) -> Result<u64, QueueError> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(QueueError::Peer);
    }
    let text = str::from_utf8(digits).map_err(|_| QueueError::Peer)?;
    text.parse().map_err(|_| QueueError::Peer)
}

/// Whether `"name":true` stands there.
pub(crate) fn is_true(text: &[u8], name: &str) -> bool {
    behind(text, name).is_some_and(|rest| rest.starts_with(b"true"))
}

pub(crate) fn statistics(text: &[u8]) -> Result<Statistics, QueueError> {
    let count = |name| usize::try_from(number(text, name)?).map_err(|_| QueueError::Peer);
    Ok(Statistics {
        ready: count("ready")?,
        delayed: count("delayed")?,
        leased: count("leased")?,
        dead: count("dead")?,
        bytes: count("bytes")?,
    })
}

/// A page of dead letters, and the number from which on there may be more.
pub(crate) fn page(text: &[u8]) -> Result<(Vec<DeadLetter>, Option<JobId>), QueueError> {
    let list = behind(text, "dead").ok_or(QueueError::Peer)?;
    let list = list.strip_prefix(b"[").ok_or(QueueError::Peer)?;
    let end = list.iter().position(|byte| *byte == b']');
    let (list, rest) = list.split_at(end.ok_or(QueueError::Peer)?);
    let mut letters = Vec::new();
    for entry in list.split(|byte| *byte == b'{').skip(1) {
        let payload = behind(entry, "payload").ok_or(QueueError::Peer)?;
        let mut quoted = payload.split(|byte| *byte == b'"').skip(1);
        let payload = quoted.next().and_then(decode);
        let payload = payload.filter(|payload| payload.len() <= MAX_PAYLOAD);
        letters.push(DeadLetter {
            id: JobId(number(entry, "id")?),
            attempts: u32::try_from(number(entry, "attempts")?).map_err(|_| QueueError::Peer)?,
            payload: payload.ok_or(QueueError::Peer)?,
        });
    }
    let next = match behind(rest, "next") {
        Some(_) => Some(JobId(number(rest, "next")?)),
        None => None,
    };
    Ok((letters, next))
}

/// What stands behind `"name":`.
fn behind<'t>(text: &'t [u8], name: &str) -> Option<&'t [u8]> {
    let length = name.len();
    let at = text.windows(length + 3).position(|window| {
        window[0] == b'"' && &window[1..=length] == name.as_bytes() && window.ends_with(b"\":")
    })?;
    text.get(at + length + 3..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read() {
        let text = br#"{"dead":[{"id":1,"attempts":5,"payload":"Zg=="},{"id":3,"attempts":1,"payload":""}],"next":4}"#;
        let (letters, next) = page(text).unwrap();
        assert_eq!((letters.len(), next), (2, Some(JobId(4))));
        assert_eq!(
            (letters[0].id, &letters[0].payload[..]),
            (JobId(1), &b"f"[..])
        );
        assert_eq!((letters[1].attempts, letters[1].payload.len()), (1, 0));
        assert_eq!(page(br#"{"dead":[]}"#), Ok((Vec::new(), None)));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for text in [
            &b""[..],
            b"{}",
            br#"{"dead":["#,
            br#"{"dead":[{}]}"#,
            br#"{"dead":[{"id":1,"attempts":4294967296,"payload":""}]}"#,
            br#"{"dead":[{"id":1,"attempts":1,"payload":"Z"}]}"#,
            br#"{"dead":[],"next":x}"#,
            br#"{"dead":[],"next":18446744073709551616}"#,
        ] {
            assert_eq!(page(text), Err(QueueError::Peer), "{text:?}");
        }
        assert_eq!(number(br#"{"id":}"#, "id"), Err(QueueError::Peer));
        assert_eq!(statistics(br#"{"ready":1}"#), Err(QueueError::Peer));
    }
}
