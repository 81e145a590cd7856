//! What must hold for any bytes that a server sends. The fuzz target and the replay of its corpus both call this.

use morgana_http::Method;
use morgana_http::wire::{HeadLimits, ResponseHead};

use crate::scripted::{ask, content};

/// Checks one input. Its first byte says what was asked and how the bytes come; the rest is what a server says.
pub(crate) fn check(input: &[u8]) {
    let Some((&control, says)) = input.split_first() else {
        return;
    };
    let method = if control & 0x80 == 0 {
        Method::Get
    } else {
        Method::Head
    };
    // It comes to an end, and to the same one however the bytes come.
    let whole = ask(method, says, usize::MAX, 500);
    let pieces = ask(method, says, usize::from(control & 0x7f).max(1), 500);
    assert_eq!(
        content(&whole),
        content(&pieces),
        "the pieces made a difference"
    );
    if let Ok((_, content, _)) = &whole {
        assert!(content.len() <= 500 && content.len() <= says.len());
    }
    compare_with_httparse(says, method);
}

/// A head that ours takes, theirs must take, and see the same in it.
fn compare_with_httparse(bytes: &[u8], method: Method) {
    let limits = HeadLimits {
        head: 300,
        target: 300,
        headers: 6,
    };
    let Ok(ours) = ResponseHead::parse(bytes, method, &limits) else {
        return;
    };
    let mut fields = [httparse::EMPTY_HEADER; 6];
    let mut theirs = httparse::Response::new(&mut fields);
    match theirs.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        // Minor versions over 1 are ours alone.
        Err(httparse::Error::Version) => return,
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    }
    assert_eq!(theirs.code, Some(ours.code()));
    let seen: Vec<_> = ours.headers().iter().collect();
    let expected: Vec<_> = theirs
        .headers
        .iter()
        .map(|field| (field.name.as_bytes(), field.value.trim_ascii_end()))
        .collect();
    assert_eq!(seen, expected);
}
