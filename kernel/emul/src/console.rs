//! A domain's console.

use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use morgana_hal::{ByteStream, StreamError};

use crate::Console;
use crate::upcall::Upcall;

/// How much output is kept. Of more, the oldest is lost, as in a terminal.
const MAX_OUTPUT_BYTES: usize = 1 << 20;

/// Both ends of a domain's console, for tests. Clones are the same console.
#[derive(Clone, Debug, Default)]
pub struct CapturedConsole(Arc<Mutex<Captured>>);

#[derive(Debug, Default)]
struct Captured {
    output: VecDeque<u8>,
    input: VecDeque<u8>,
    reader: Option<Waker>,
    domain: Weak<Upcall>,
}

impl CapturedConsole {
    fn lock(&self) -> MutexGuard<'_, Captured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn attach(&self, domain: &Arc<Upcall>) {
        self.lock().domain = Arc::downgrade(domain);
    }

    /// What the domain has written so far, at most the last MiB; bytes that are not UTF-8 are replaced.
    pub fn output(&self) -> String {
        let captured = self.lock();
        let (first, second) = captured.output.as_slices();
        String::from_utf8_lossy(&[first, second].concat()).into_owned()
    }

    /// Types something.
    pub fn input(&self, bytes: &[u8]) {
        let (reader, domain) = {
            let mut captured = self.lock();
            captured.input.extend(bytes);
            (captured.reader.take(), captured.domain.upgrade())
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        if let Some(domain) = domain {
            domain.kick();
        }
    }

    fn write(&self, bytes: &[u8]) {
        let mut captured = self.lock();
        captured.output.extend(bytes);
        let surplus = captured.output.len().saturating_sub(MAX_OUTPUT_BYTES);
        captured.output.drain(..surplus);
    }

    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<usize> {
        let mut captured = self.lock();
        if captured.input.is_empty() && !buffer.is_empty() {
            captured.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = buffer.len().min(captured.input.len());
        for (to, from) in buffer.iter_mut().zip(captured.input.drain(..count)) {
            *to = from;
        }
        Poll::Ready(count)
    }
}

/// The domain's end of its console.
#[derive(Debug)]
pub struct EmulConsole(Target);

#[derive(Debug)]
enum Target {
    Stdout,
    Captured(CapturedConsole),
}

impl EmulConsole {
    pub(crate) fn new(console: Console) -> Option<Self> {
        match console {
            Console::None => None,
            Console::Stdout => Some(Self(Target::Stdout)),
            Console::Captured(captured) => Some(Self(Target::Captured(captured))),
        }
    }
}

impl ByteStream for EmulConsole {
    /// From the standard output nothing ever comes.
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        match &self.0 {
            Target::Captured(captured) => captured.poll_read(cx, buffer).map(Ok),
            Target::Stdout if buffer.is_empty() => Poll::Ready(Ok(0)),
            Target::Stdout => Poll::Pending,
        }
    }

    fn poll_write(&self, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        match &self.0 {
            Target::Captured(captured) => captured.write(bytes),
            Target::Stdout => {
                let mut stdout = std::io::stdout().lock();
                if stdout
                    .write_all(bytes)
                    .and_then(|()| stdout.flush())
                    .is_err()
                {
                    return Poll::Ready(Err(StreamError::Closed));
                }
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }
}
