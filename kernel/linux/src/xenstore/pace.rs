//! What the kernel's xenstore device asks of who writes to it.
//!
//! It gathers writes until it has a whole message, and forgets what else was in the write that completed it: so no write may go beyond the
//! end of a message. And it sends the message's content out of the buffer in which it gathers the next one (Linux,
//! drivers/xen/xenbus/xenbus_xs.c, `xenbus_dev_request_and_reply`): so nothing may be written before the answer has come.

use core::task::Context;

use morgana_exec::Waiters;

use super::framing::{Framing, Type};

/// One message at a time.
#[derive(Debug, Default)]
pub(super) struct Pace {
    out: Framing,
    back: Framing,
    turn: Turn,
    writers: Waiters,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Turn {
    /// A request may be written, or is in the middle of it.
    #[default]
    Ours,
    /// A request is on its way.
    Theirs,
}

impl Pace {
    /// How many of `bytes` may be written now. `None` while an answer is awaited; the task is woken when it has come.
    pub(super) fn writable(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<usize> {
        if self.turn == Turn::Theirs {
            self.writers.register(cx.waker());
            return None;
        }
        Some(self.out.within(bytes))
    }

    /// Whether `bytes`, which may be written now, are a message from its beginning to its end.
    pub(super) fn is_whole(&self, bytes: &[u8]) -> bool {
        let mut ahead = self.out;
        self.out.is_between() && ahead.pass(bytes).is_some()
    }

    /// `bytes` have been written, no more than might be.
    pub(super) fn written(&mut self, bytes: &[u8]) {
        if self.out.pass(bytes).is_some() {
            self.turn = Turn::Theirs;
        }
    }

    /// Whether what has been read ends with a whole message.
    pub(super) const fn is_between_answers(&self) -> bool {
        self.back.is_between()
    }

    /// `bytes` have been read.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (first, rest) = bytes.split_at(self.back.within(bytes));
            let passed = self.back.pass(first);
            if passed.is_some_and(|passed| passed != Type::WATCH_EVENT) {
                self.turn = Turn::Ours;
                self.writers.wake_all();
            }
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::task::Waker;

    fn message(kind: u32, length: u32) -> Vec<u8> {
        let head = [kind, 1, 0, length].map(u32::to_ne_bytes).concat();
        [head, vec![b'x'; length as usize]].concat()
    }

    #[test]
    fn a_request_waits_for_the_answer_to_the_one_before() {
        let mut pace = Pace::default();
        let mut cx = Context::from_waker(Waker::noop());
        let two = [message(2, 10), message(2, 20)].concat();
        assert_eq!(pace.writable(&mut cx, &two), Some(26));
        assert!(pace.is_whole(&two[..26]) && !pace.is_whole(&two[..20]));
        // The device took less: the rest is still the same message.
        pace.written(&two[..20]);
        assert_eq!(pace.writable(&mut cx, &two[20..]), Some(6));
        assert!(!pace.is_whole(&two[20..26]));
        pace.written(&two[20..26]);
        assert_eq!(pace.writable(&mut cx, &two[26..]), None);
        // A watch's event is no answer, and half an answer is none.
        pace.read(&message(Type::WATCH_EVENT.0, 7));
        let answer = message(2, 3);
        assert!(pace.is_between_answers());
        pace.read(&answer[..18]);
        assert!(!pace.is_between_answers());
        assert_eq!(pace.writable(&mut cx, &two[26..]), None);
        pace.read(&[&answer[18..], &message(Type::WATCH_EVENT.0, 0)].concat());
        assert_eq!(pace.writable(&mut cx, &two[26..]), Some(36));
    }
}
