//! Commands in dom0: the host's end of what `dom0/agent` serves.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Until when something may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// From now on.
    pub(crate) fn after(time: Duration) -> Deadline {
        Deadline(Instant::now().checked_add(time))
    }

    /// No limit: for what a user ends.
    pub(crate) fn never() -> Deadline {
        Deadline(None)
    }

    /// What is left; an error when nothing is.
    fn left(self) -> io::Result<Option<Duration>> {
        match self
            .0
            .map(|end| end.saturating_duration_since(Instant::now()))
        {
            Some(Duration::ZERO) => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(left),
        }
    }
}

/// What a script gets to read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// Nothing ever comes, and it does not end either: as a terminal at which nobody types.
    Silence,
    /// These bytes; the script must read no more.
    Bytes(&'a [u8]),
}

/// One pair of serial ports. It runs one script at a time.
#[derive(Debug)]
pub(crate) struct Session {
    io: UnixStream,
    errors: UnixStream,
}

impl Session {
    pub(super) fn new(io: UnixStream, errors: UnixStream) -> Session {
        Session { io, errors }
    }

    /// Runs `script`, passes on what it prints as it comes, and returns its status.
    ///
    /// After an error the session is of no use any more: the script may still run.
    pub(crate) fn run(
        &mut self,
        script: &str,
        input: Input<'_>,
        deadline: Deadline,
        out: &mut (dyn Write + Send),
        err: &mut (dyn Write + Send),
    ) -> Result<i32> {
        let mark = mark()?;
        let (mode, bytes) = match input {
            Input::Silence => ("silent", &[][..]),
            Input::Bytes(bytes) => ("input", bytes),
        };
        let order = format!("{mark} {mode} {}\n{script}", script.len());
        let Session { io, errors } = self;
        io.set_write_timeout(
            deadline
                .left()
                .context("no time left for a command in dom0")?,
        )?;
        let mark = mark.as_bytes();
        std::thread::scope(|scope| {
            let stderr = scope.spawn(move || {
                let rest = copy_until(errors, mark, deadline, err)?;
                line_after(errors, rest, deadline).map(|_| ())
            });
            let mut sender = io.try_clone().context("cannot use a port twice")?;
            let writing = scope.spawn(move || -> io::Result<()> {
                sender.write_all(order.as_bytes())?;
                sender.write_all(bytes)
            });
            let rest = copy_until(io, mark, deadline, out);
            let rest = rest.and_then(|rest| line_after(io, rest, deadline));
            // Both end by the same deadline.
            let stderr = stderr
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")));
            let writing = writing
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")));
            let status = rest.and_then(|status| stderr.and(writing).map(|()| status));
            let status = status.map_err(explain)?;
            status
                .trim()
                .parse()
                .with_context(|| format!("dom0's agent reports the status {status:?}"))
        })
    }
}

fn explain(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            anyhow::anyhow!("the command in dom0 ran out of time")
        }
        io::ErrorKind::UnexpectedEof => anyhow::anyhow!("QEMU ended while a command ran in dom0"),
        _ => anyhow::Error::new(error).context("lost the command in dom0"),
    }
}

/// 32 hexadecimal digits that no output has in it by chance.
fn mark() -> Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Copies up to `mark`; returns what came after it.
fn copy_until(
    from: &mut UnixStream,
    mark: &[u8],
    deadline: Deadline,
    to: &mut dyn Write,
) -> io::Result<Vec<u8>> {
    let mut held: Vec<u8> = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = read(from, &mut chunk, deadline)?;
        held.extend_from_slice(&chunk[..count]);
        if let Some(at) = held.windows(mark.len()).position(|window| window == mark) {
            to.write_all(&held[..at])?;
            to.flush()?;
            return Ok(held.split_off(at + mark.len()));
        }
        // The end may be the beginning of the mark.
        let keep = (0..mark.len().min(held.len() + 1))
            .rev()
            .find(|&length| held.ends_with(&mark[..length]))
            .unwrap_or(0);
        to.write_all(&held[..held.len() - keep])?;
        to.flush()?;
        held.drain(..held.len() - keep);
    }
}

/// The rest of the line that `held` begins.
fn line_after(from: &mut UnixStream, mut held: Vec<u8>, deadline: Deadline) -> io::Result<String> {
    while !held.ends_with(b"\n") {
        let mut byte = [0];
        let count = read(from, &mut byte, deadline)?;
        held.extend_from_slice(&byte[..count]);
    }
    Ok(String::from_utf8_lossy(&held).into_owned())
}

fn read(from: &mut UnixStream, to: &mut [u8], deadline: Deadline) -> io::Result<usize> {
    loop {
        from.set_read_timeout(deadline.left()?)?;
        match from.read(to) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            // A signal, which another thread attends to.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            count => return count,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::{Deadline, copy_until};

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(30))
    }

    #[test]
    fn stops_at_the_mark_only() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"some MAMARK output MARK 0\n").unwrap();
        let mut out = Vec::new();
        let rest = copy_until(&mut ours, b"MARK ", soon(), &mut out).unwrap();
        assert_eq!(out, b"some MA");
        assert_eq!(rest, b"output MARK 0\n");
    }

    #[test]
    fn finds_a_mark_in_pieces() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let writer = std::thread::spawn(move || {
            for byte in b"xMAMAMARKz" {
                theirs.write_all(&[*byte]).unwrap();
            }
        });
        let mut out = Vec::new();
        copy_until(&mut ours, b"MARK", soon(), &mut out).unwrap();
        writer.join().unwrap();
        assert_eq!(out, b"xMAMA");
    }

    #[test]
    fn says_when_the_other_end_has_gone() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let error = copy_until(&mut ours, b"MARK", soon(), &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn gives_up_in_time() {
        let (mut ours, _theirs) = UnixStream::pair().unwrap();
        let now = Deadline::after(Duration::ZERO);
        assert!(copy_until(&mut ours, b"MARK", now, &mut Vec::new()).is_err());
    }
}
