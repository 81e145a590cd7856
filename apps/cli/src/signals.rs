//! Ctrl-C and SIGTERM: a command ends in order.

use std::future::poll_fn;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use morgana_linux::{Direction, HasReactor, Linux, Source};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Signals that came.
pub(crate) struct Interrupts(Source<UnixStream>);

impl Interrupts {
    pub(crate) fn new(platform: &Linux) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        for signal in [SIGINT, SIGTERM] {
            signal_hook::low_level::pipe::register(signal, theirs.try_clone()?)?;
        }
        Ok(Self(platform.reactor().register(ours)?))
    }

    /// Ready when one has come.
    pub(crate) async fn next(&self) {
        let mut byte = [0];
        let read = poll_fn(|cx| {
            self.0
                .poll_io(Direction::Read, cx, |mut signals: &UnixStream| {
                    signals.read(&mut byte)
                })
        });
        // The other end is in this process: what else comes is a reason to end, too.
        let _ = read.await;
    }
}
