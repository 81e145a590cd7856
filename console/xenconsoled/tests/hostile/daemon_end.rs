//! The daemon's end of the link, against a helper that sends anything, reads when it likes, goes, and comes again.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use morgana_exec::{Duplex, duplex};
use morgana_hal::{ByteStream, DomId};
use morgana_xenconsoled::{Link, LinkError, LinkLog, LinkTerminal, Log, Outlets};

use crate::frames::{CREDIT, LOGGED, Seen, TYPED, scripted};
use crate::script::Script;

/// Steps in one script: more only make a fuzzer slow.
const MAX_STEPS: usize = 256;
/// What the stream itself holds.
const STREAM: usize = 1024;
/// What may wait of guests' bytes.
const QUEUE: usize = 32 << 10;

/// A helper that is there.
struct Helper {
    stream: Duplex,
    seen: Seen,
    drive: Pin<Box<dyn Future<Output = LinkError>>>,
}

impl Helper {
    fn come(link: &Link) -> Self {
        let (ours, theirs) = duplex(STREAM);
        let (link, ours) = (link.clone(), Rc::new(ours));
        Self {
            stream: theirs,
            seen: Seen::default(),
            drive: Box::pin(async move { link.drive(&*ours).await }),
        }
    }

    /// Sends bytes while the daemon takes them; says whether it is still served.
    fn send(&mut self, mut bytes: &[u8]) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            let sent = match self.stream.poll_write(&mut cx, bytes) {
                Poll::Ready(Ok(len)) => len,
                _ => 0,
            };
            bytes = &bytes[sent..];
            if self.drive.as_mut().poll(&mut cx).is_ready() {
                return false;
            }
            if bytes.is_empty() || sent == 0 {
                return true;
            }
        }
    }
}

/// Plays a script. Fails if the daemon's end panics, sends what is no frame, or more than it has credit for, or keeps more than it may.
pub(crate) fn check(input: &[u8]) {
    let mut script = Script(input);
    let link = Link::default();
    let mut helper = Helper::come(&link);
    let mut guests = BTreeMap::<u16, (LinkLog, LinkTerminal)>::new();
    let mut opened = 0;
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..MAX_STEPS {
        let Some(kind) = script.next() else {
            break;
        };
        let domain = u16::from(script.byte() % 5) + 1;
        let len = usize::from(script.u16()) % 3000;
        let mut served = true;
        match kind % 10 {
            0 | 1 => {
                let bytes = scripted(&mut script, &[TYPED, TYPED, CREDIT, LOGGED]);
                if bytes[0] == CREDIT {
                    let domain = u16::from_le_bytes([bytes[1], bytes[2]]);
                    let credit = u32::from_le_bytes(bytes[5..9].try_into().unwrap());
                    helper.seen.gave(domain, credit as usize);
                }
                served = helper.send(&bytes);
            }
            2 => served = helper.send(&script.array::<7>()),
            3 => drop(helper.seen.read(&helper.stream, len)),
            4 => served = false,
            5 => {
                opened += 1;
                guests.remove(&domain);
                let domain_id = DomId::new(domain);
                let log = link.open_log(domain_id, "guest").unwrap();
                let (terminal, _) = link.open_terminal(domain_id).unwrap();
                guests.insert(domain, (log, terminal));
            }
            6 => drop(guests.remove(&domain)),
            kind => {
                if let Some((log, terminal)) = guests.get_mut(&domain) {
                    let mut buffer = vec![0x62; len.max(1)];
                    let moved = match kind {
                        7 => terminal.poll_write(&mut cx, &buffer).map(Result::unwrap),
                        8 => terminal.poll_read(&mut cx, &mut buffer).map(Result::unwrap),
                        _ => log.poll_add(&mut cx, &buffer).map(|Ok(len)| len),
                    };
                    assert!(moved.is_pending() || moved <= Poll::Ready(buffer.len()));
                }
            }
        }
        if !served || !helper.send(&[]) {
            helper = Helper::come(&link);
        }
    }
    // Whatever waited is no more than it may be, however seldom it was read.
    let before = helper.seen.total;
    while helper.send(&[]) && helper.seen.read(&helper.stream, STREAM) > 0 {}
    let waited = helper.seen.total - before;
    assert!(
        waited <= STREAM + QUEUE + 3000 + 50 * (opened + 5),
        "{waited} bytes waited"
    );
}
