//! An access log in the Combined Log Format.

use alloc::collections::VecDeque;
use core::cell::{Cell, RefCell};
use core::fmt::Write as _;
use core::net::IpAddr;

use morgana_exec::Notify;

use super::pool::{Block, Pool};
use super::transport::Sent;
use crate::semantics::UnixTime;
use crate::wire::{Request, Version};

/// Bytes of a line at the most; what a client says is cut before that.
pub const LINE: usize = 1024;
/// Bytes of a path, a query, a `Referer` and a `User-Agent`, once escaped.
const PART: usize = 192;

/// Lines that wait for somebody to take them: a task of the app, which sends them wherever they shall go.
///
/// A line is what Apache's `combined` format is: client, two dashes, time, request line, status, bytes sent behind the head, `Referer`, `User-Agent`. What comes from the
/// client is escaped, so that it can neither end a line nor a quotation: in the path, which is the normalised one, by percent-encoding, elsewhere as `\xhh`. A request
/// that was refused before it was understood is `"-"`.
///
/// A line that finds no room is dropped and counted: no request waits for the log.
#[derive(Debug)]
pub struct AccessLog {
    /// Lines, each with a line feed at its end.
    waiting: RefCell<VecDeque<u8>>,
    capacity: usize,
    dropped: Cell<u64>,
    arrived: Notify,
}

impl AccessLog {
    /// A log in which lines of so many bytes in all can wait.
    pub fn new(capacity: usize) -> Self {
        Self {
            waiting: RefCell::new(VecDeque::with_capacity(capacity)),
            capacity,
            dropped: Cell::new(0),
            arrived: Notify::default(),
        }
    }

    /// Waits for the next line, and answers how many bytes of `line` it takes. It is ASCII, without a line feed.
    pub async fn next(&self, line: &mut [u8; LINE]) -> usize {
        loop {
            let seen = self.arrived.count();
            if let Some(length) = self.take(line) {
                return length;
            }
            self.arrived.after(seen).await;
        }
    }

    /// The next line, if there is one.
    pub fn take(&self, line: &mut [u8; LINE]) -> Option<usize> {
        let mut waiting = self.waiting.borrow_mut();
        let mut length = 0;
        loop {
            match waiting.pop_front()? {
                b'\n' => return Some(length),
                byte => {
                    if let Some(place) = line.get_mut(length) {
                        *place = byte;
                        length += 1;
                    }
                }
            }
        }
    }

    /// How many lines were dropped because nobody took those before them.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Adds the line about an answer of which so much was sent.
    pub(super) fn push(&self, note: &Note<'_>, sent: Sent) {
        let mut middle = Text::<32>::new();
        // It has room for two numbers of that size.
        let _ = write!(middle, " {} {} ", sent.status.code(), sent.bytes());
        let (before, after) = note.parts();
        let length = before.len() + middle.as_bytes().len() + after.len() + 1;
        let mut waiting = self.waiting.borrow_mut();
        if length > LINE || waiting.len() + length > self.capacity {
            return self.dropped.set(self.dropped.get() + 1);
        }
        for part in [before, middle.as_bytes(), after, b"\n"] {
            waiting.extend(part);
        }
        self.arrived.notify();
    }
}

/// What goes into the line of a request, made while the request is there. It lies in a block of the pool, so that a server without a log has no memory for it.
#[derive(Debug)]
pub(super) struct Note<'p> {
    block: Block<'p>,
    /// Where the part before the status ends, and the part behind it.
    ends: (usize, usize),
}

impl<'p> Note<'p> {
    /// The note about a request, or about one that was not understood. `None` if there is no block for it.
    pub(super) fn new(
        pool: &'p Pool,
        peer: Option<IpAddr>,
        time: Option<UnixTime>,
        request: Option<&Request<'_>>,
    ) -> Option<Self> {
        let mut block = pool.small()?;
        let mut writer = Writer {
            room: &mut block,
            length: 0,
        };
        // A writer never fails: what has no room is left out.
        let _ = match peer {
            Some(peer) => write!(writer, "{peer}"),
            None => writer.write_str("-"),
        };
        writer.plain(b" - - [");
        match time {
            Some(time) => writer.plain(time.write_log_date(&mut [0; 26]).as_bytes()),
            None => writer.plain(b"-"),
        }
        writer.plain(b"] \"");
        match request {
            Some(request) => writer.request_line(request),
            None => writer.plain(b"-"),
        }
        writer.plain(b"\"");
        let before = writer.length;
        for name in ["referer", "user-agent"] {
            let value = request.and_then(|request| request.headers().first(name));
            writer.plain(b"\"");
            writer.escaped(value.filter(|value| !value.is_empty()).unwrap_or(b"-"));
            writer.plain(if name == "referer" { b"\" " } else { b"\"" });
        }
        let ends = (before, writer.length);
        Some(Self { block, ends })
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        (
            &self.block[..self.ends.0],
            &self.block[self.ends.0..self.ends.1],
        )
    }
}

/// Appends to a block for as long as there is room.
struct Writer<'b> {
    room: &'b mut [u8],
    length: usize,
}

impl Writer<'_> {
    fn plain(&mut self, bytes: &[u8]) {
        if let Some(place) = self.room.get_mut(self.length..self.length + bytes.len()) {
            place.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }

    fn request_line(&mut self, request: &Request<'_>) {
        self.plain(request.method().name().as_bytes());
        self.plain(b" ");
        self.coded(request.path().as_bytes(), "%", |byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'"' | b'%' | b'?' | b'#' | b'\\')
        });
        if let Some(query) = request.query() {
            self.plain(b"?");
            self.escaped(query.as_bytes());
        }
        self.plain(match request.version() {
            Version::Http10 => b" HTTP/1.0",
            Version::Http11 => b" HTTP/1.1",
        });
    }

    /// A text of the client's.
    fn escaped(&mut self, text: &[u8]) {
        self.coded(text, "\\x", |byte| {
            (byte == b' ' || byte.is_ascii_graphic()) && !matches!(byte, b'"' | b'\\')
        });
    }

    /// Bytes as they are if they are `harmless`, and in hexadecimal behind `mark` otherwise; no more than fit a part.
    fn coded(&mut self, text: &[u8], mark: &str, harmless: impl Fn(u8) -> bool) {
        let end = self.length + PART;
        for &byte in text {
            if self.length + mark.len() + 2 > end {
                break;
            }
            if harmless(byte) {
                self.plain(&[byte]);
            } else {
                let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value & 15)];
                self.plain(mark.as_bytes());
                self.plain(&[digit(byte >> 4), digit(byte)]);
            }
        }
    }
}

impl core::fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.plain(text.as_bytes());
        Ok(())
    }
}

/// A short text of its own.
struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    const fn new() -> Self {
        Self {
            bytes: [0; N],
            length: 0,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<const N: usize> core::fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let place = self
            .bytes
            .get_mut(self.length..self.length + text.len())
            .ok_or(core::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}
