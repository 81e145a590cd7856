//! A connection to the daemon: a JSON object a line, and one back for each.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use serde_json::Value;

use crate::Cause;

/// The longest answer, in bytes: the figures of more domains than Xen has numbers for.
const LONGEST: usize = 16 << 20;
/// The longest request: what the daemon reads.
const LONGEST_REQUEST: usize = 64 << 10;

/// The daemon's socket.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    /// How long an answer may take.
    pub(super) patience: Duration,
    /// None before the first request, and after an error: an answer that comes late belongs to no other request.
    stream: Option<UnixStream>,
}

impl Socket {
    pub(super) fn new(path: PathBuf, patience: Duration) -> Self {
        Self {
            path,
            patience,
            stream: None,
        }
    }

    /// Sends a request; returns what is under `ok`.
    pub(super) fn ask(&mut self, request: &Value) -> Result<Value, Cause> {
        let line = format!("{request}\n");
        if line.len() > LONGEST_REQUEST {
            return Err(Cause::Wrong("the request has more than 64 KiB".to_owned()));
        }
        let kept = self.stream.take();
        let mut stream = match kept.filter(is_open) {
            Some(stream) => stream,
            None => self.connect()?,
        };
        let deadline = Instant::now() + self.patience;
        let exchanged = exchange(&mut stream, line.as_bytes(), deadline);
        let answer = exchanged.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Cause::Late(self.patience),
            _ => Cause::lost(&format!("{}: {error}", self.path.display())),
        })?;
        let answer = understood(&answer);
        if !matches!(answer, Err(Cause::Lost(_))) {
            self.stream = Some(stream);
        }
        answer
    }

    /// A new connection. A daemon that takes nobody is late, too.
    fn connect(&self) -> Result<UnixStream, Cause> {
        let connected = rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .and_then(|socket| {
            // It limits the wait for a place in the queue of those that want to be accepted (unix(7)).
            sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(self.patience))?;
            rustix::net::connect(&socket, &SocketAddrUnix::new(&self.path)?)?;
            Ok(UnixStream::from(socket))
        });
        connected.map_err(|error| match error {
            Errno::AGAIN => Cause::Late(self.patience),
            _ => {
                let path = self.path.display();
                let error = io::Error::from(error);
                Cause::lost(&format!("{path}: {error}: is `morgana daemon` running?"))
            }
        })
    }
}

/// Whether nothing has come that was not asked for, the end among it: a daemon that was started anew has closed what the last one had.
fn is_open(stream: &UnixStream) -> bool {
    let peeked = stream
        .set_nonblocking(true)
        .and_then(|()| (&mut &*stream).read(&mut [0]));
    let quiet = peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    quiet && stream.set_nonblocking(false).is_ok()
}

/// Writes a line and reads one, without its end.
fn exchange(stream: &mut UnixStream, line: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
    // A line is shorter than what the kernel keeps for a socket, so one write takes it, or the daemon does not read.
    stream.set_write_timeout(Some(left(deadline)?))?;
    stream.write_all(line)?;
    let mut answer = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        stream.set_read_timeout(Some(left(deadline)?))?;
        let count = match stream.read(&mut chunk) {
            Ok(0) => return Err(io::Error::other("the daemon has ended")),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = chunk[..count].iter().position(|byte| *byte == b'\n');
        answer.extend_from_slice(&chunk[..end.unwrap_or(count)]);
        match end {
            Some(end) if end + 1 < count => {
                return Err(io::Error::other(
                    "the daemon says more than it was asked for",
                ));
            }
            Some(_) => return Ok(answer),
            None if answer.len() > LONGEST => {
                return Err(io::Error::other("the answer has more than 16 MiB"));
            }
            None => {}
        }
    }
}

/// How long until then; an error if that is now.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(ErrorKind::TimedOut.into()),
        false => Ok(left),
    }
}

fn understood(answer: &[u8]) -> Result<Value, Cause> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| {
        Cause::lost(&format!("the daemon says what is not understood: {error}"))
    })?;
    let Value::Object(mut answer) = answer else {
        return Err(Cause::lost("the daemon's answer is no object"));
    };
    if let Some(error) = answer.get("error") {
        let text = error.as_str().unwrap_or_default();
        return Err(match answer.get("kind").and_then(Value::as_str) {
            Some("no-such-domain") => Cause::Unknown,
            Some("bad-request" | "config") => Cause::wrong(text),
            _ => Cause::refused(text),
        });
    }
    let answer = answer.remove("ok");
    answer.ok_or_else(|| Cause::lost("the daemon's answer has neither ok nor error"))
}
