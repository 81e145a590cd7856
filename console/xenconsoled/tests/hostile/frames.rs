//! What goes over the link, as its other end makes and sees it: written from the description, not by the code that is tested.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use morgana_exec::Duplex;
use morgana_hal::ByteStream;

use crate::script::Script;

pub(crate) const OPEN: u8 = 1;
pub(crate) const SHOWN: u8 = 2;
pub(crate) const LOGGED: u8 = 3;
pub(crate) const CLOSE: u8 = 4;
pub(crate) const TYPED: u8 = 5;
pub(crate) const CREDIT: u8 = 6;

/// Bytes on their way: shown ones, typed ones.
pub(crate) const WINDOW: usize = 8 << 10;
pub(crate) const TYPED_WINDOW: usize = 1 << 10;
const HEADER: usize = 5;
const MAX_CONTENT: usize = 2048;

/// A frame.
pub(crate) fn frame(kind: u8, domain: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(domain.to_le_bytes());
    bytes.extend((content.len() as u16).to_le_bytes());
    bytes.extend(content);
    bytes
}

/// A frame that mostly is one, of a kind that `kinds` has, about one of five domains.
pub(crate) fn scripted(script: &mut Script<'_>, kinds: &[u8]) -> Vec<u8> {
    let kind = kinds[usize::from(script.byte()) % kinds.len()];
    let domain = u16::from(script.byte() % 5) + 1;
    match kind {
        CREDIT => frame(kind, domain, &u32::from(script.u16() % 9000).to_le_bytes()),
        OPEN | CLOSE => frame(kind, domain, &[]),
        _ => frame(kind, domain, &vec![0x61; usize::from(script.u16()) % 2100]),
    }
}

/// What has come from the other end of the link, over one connection.
#[derive(Default)]
pub(crate) struct Seen {
    bytes: Vec<u8>,
    /// All that came, in bytes.
    pub(crate) total: usize,
    /// By domain, for how many bytes of the kind that needs it there is credit: a window for each guest of that number that was opened, and what
    /// was given since.
    credit: BTreeMap<u16, i64>,
}

impl Seen {
    /// Reads so many bytes at the most; says how many there were.
    pub(crate) fn read(&mut self, stream: &Duplex, most: usize) -> usize {
        let mut piece = vec![0; most];
        let mut cx = Context::from_waker(Waker::noop());
        match stream.poll_read(&mut cx, &mut piece) {
            Poll::Ready(Ok(len)) => {
                self.total += len;
                self.bytes.extend_from_slice(&piece[..len]);
                self.frames();
                len
            }
            _ => 0,
        }
    }

    /// The other end may send so many bytes more.
    pub(crate) fn gave(&mut self, domain: u16, bytes: usize) {
        *self.credit.entry(domain).or_default() += bytes as i64;
    }

    /// Whatever comes is frames, and no more than there was credit for.
    fn frames(&mut self) {
        while let Some((&[kind, low, high, len_low, len_high], rest)) =
            self.bytes.split_first_chunk::<HEADER>()
        {
            let len = usize::from(u16::from_le_bytes([len_low, len_high]));
            assert!((OPEN..=CREDIT).contains(&kind) && len <= MAX_CONTENT);
            if rest.len() < len {
                break;
            }
            let domain = u16::from_le_bytes([low, high]);
            let credit = self.credit.entry(domain).or_default();
            match kind {
                OPEN => *credit += WINDOW as i64,
                SHOWN | TYPED => {
                    *credit -= len as i64;
                    assert!(*credit >= 0, "{len} bytes without credit");
                }
                CREDIT => assert_eq!(len, 4),
                _ => {}
            }
            self.bytes.drain(..HEADER + len);
        }
    }
}
