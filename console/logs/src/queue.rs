//! Records on their way to the logger.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use log::Level;
use morgana_exec::Waiters;
use morgana_record::{Record, ToLogger};

/// How many bytes of records wait for the logger, if nothing else is said.
pub const DEFAULT_QUEUE: usize = 16 << 10;

/// Records that the logger has not said that it keeps, in their order.
#[derive(Debug)]
pub(crate) struct Queue {
    /// As messages.
    messages: VecDeque<Vec<u8>>,
    capacity: usize,
    bytes: usize,
    /// The number of the first one.
    first: u64,
    /// The number of the next one to be sent.
    unsent: u64,
    /// Records dropped and not yet told of.
    untold: u64,
    pub(crate) way: Way,
    pub(crate) waiters: Waiters,
}

/// Whether there is a logger to send to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// That is not known yet.
    Unknown,
    No,
    Yes,
}

/// The logger keeps what was never sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NeverSent;

impl Queue {
    pub(crate) const fn new(capacity: usize) -> Self {
        Self {
            messages: VecDeque::new(),
            capacity,
            bytes: 0,
            first: 0,
            unsent: 0,
            untold: 0,
            way: Way::Unknown,
            waiters: Waiters::new(),
        }
    }

    /// Adds a record, or drops and counts it if there is no room. What was dropped before it is told first.
    pub(crate) fn put(&mut self, record: Record) {
        let notice = (self.untold > 0).then(|| notice(self.untold, &record));
        let numbers = self.first + self.messages.len() as u64..;
        let records = notice.into_iter().chain([record]);
        let messages: Vec<Vec<u8>> = numbers
            .zip(records)
            .map(|(number, record)| {
                let mut message = Vec::new();
                ToLogger::Record(number, record).encode(&mut message);
                message
            })
            .collect();
        let bytes: usize = messages.iter().map(Vec::len).sum();
        if self.bytes + bytes > self.capacity {
            self.untold += 1;
            return;
        }
        self.untold = 0;
        self.bytes += bytes;
        self.messages.extend(messages);
        self.waiters.wake_all();
    }

    /// All is to be sent again: there is another connection.
    pub(crate) fn rewind(&mut self) {
        self.unsent = self.first;
    }

    /// The next message to be sent, once there is one; it stays until it is kept.
    pub(crate) fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<Vec<u8>> {
        // At most as far apart as there are messages.
        let index = (self.unsent - self.first) as usize;
        match self.messages.get(index) {
            Some(message) => {
                self.unsent += 1;
                Poll::Ready(message.clone())
            }
            None => {
                self.waiters.register(cx.waker());
                Poll::Pending
            }
        }
    }

    /// The logger keeps all records before this number.
    pub(crate) fn kept(&mut self, before: u64) -> Result<(), NeverSent> {
        if before > self.unsent {
            return Err(NeverSent);
        }
        while self.first < before
            && let Some(message) = self.messages.pop_front()
        {
            self.bytes -= message.len();
            self.first += 1;
        }
        self.waiters.wake_all();
        Ok(())
    }

    /// The number of the first record that the logger has not said that it keeps, if it was sent.
    pub(crate) fn unanswered(&self) -> Option<u64> {
        (self.unsent > self.first).then_some(self.first)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

fn notice(untold: u64, before: &Record) -> Record {
    let records = if untold == 1 { "record" } else { "records" };
    Record {
        time: before.time,
        level: Level::Warn,
        target: "log".into(),
        message: format!("{untold} {records} lost here: the way to the logger was full"),
        fields: vec![("lost".into(), untold.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use core::task::Waker;
    use morgana_hal::WallTime;
    use morgana_record::Frames;

    fn record(message: &str) -> Record {
        Record {
            time: WallTime::from_unix_nanos(1),
            level: Level::Info,
            target: "t".into(),
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// What would be sent now.
    fn sent(queue: &mut Queue) -> Vec<(u64, String)> {
        let mut frames = Frames::default();
        let mut sent = Vec::new();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(message) = queue.poll_unsent(&mut cx) {
            frames.add(&message);
            match frames.to_logger() {
                Ok(Some(ToLogger::Record(number, record))) => sent.push((number, record.message)),
                other => panic!("{other:?}"),
            }
        }
        sent
    }

    #[test]
    fn records_stay_until_they_are_kept() {
        let mut queue = Queue::new(1000);
        queue.put(record("a"));
        queue.put(record("b"));
        assert_eq!(queue.unanswered(), None);
        assert_eq!(sent(&mut queue), [(0, "a".into()), (1, "b".into())]);
        assert_eq!(queue.kept(1), Ok(()));
        assert_eq!(queue.unanswered(), Some(1));
        queue.put(record("c"));
        queue.rewind();
        assert_eq!(sent(&mut queue), [(1, "b".into()), (2, "c".into())]);
        assert_eq!(queue.kept(4), Err(NeverSent));
        assert_eq!(queue.kept(0), Ok(()));
        assert_eq!(queue.kept(3), Ok(()));
        assert!(queue.is_empty() && queue.bytes == 0);
    }

    #[test]
    fn what_is_dropped_is_told_as_soon_as_there_is_room() {
        let mut queue = Queue::new(400);
        for _ in 0..100 {
            queue.put(record("a message of some length, as they are"));
        }
        let before = sent(&mut queue).len() as u64;
        assert!(before > 2);
        queue.kept(before).unwrap();
        queue.put(record("again"));
        let lost = 100 - before;
        let told = format!("{lost} records lost here: the way to the logger was full");
        assert_eq!(
            sent(&mut queue),
            [(before, told), (before + 1, "again".into())]
        );
    }
}
