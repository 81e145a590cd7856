//! A domain's console, as far as libvirt lets us have it: from the time on when it is first asked for.

use std::thread;
use std::time::{Duration, Instant};

use morgana_providers::{CONSOLE_BYTES, Cause, Unable};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::enumutil::Enum;
use virt::error::ErrorNumber;
use virt::stream::Stream;

use super::told;

/// How long to listen: until nothing has come for this time.
const QUIET: Duration = Duration::from_millis(200);
/// And no longer than this: a guest may write all the time.
const LONGEST: Duration = Duration::from_secs(2);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(20);

/// A console that is listened to.
pub(super) struct Console {
    /// None when the guest, or the host, has closed it.
    stream: Option<Stream>,
    text: Vec<u8>,
}

impl Console {
    pub(super) fn open(host: &Connect, domain: &Domain) -> Result<Self, Cause> {
        let wrong = |error: virt::error::Error| match error.code() {
            Enum::Known(ErrorNumber::NoSupport) => Cause::Unable(Unable::Console),
            _ => told::cause(&error),
        };
        let stream = Stream::new(host, virt::sys::VIR_STREAM_NONBLOCK).map_err(wrong)?;
        domain.open_console(None, &stream, 0).map_err(wrong)?;
        Ok(Self {
            stream: Some(stream),
            text: Vec::new(),
        })
    }

    /// Takes what has come.
    pub(super) fn listen(&mut self, domain: &Domain) {
        let start = Instant::now();
        let mut last = start;
        let mut chunk = [0; 4096];
        while let Some(stream) = &self.stream {
            match stream.recv(&mut chunk) {
                // Nothing yet. A question and its answer bring along what has come for the stream: nobody else reads the connection.
                Ok(-2) => {
                    if last.elapsed() > QUIET || domain.info().is_err() {
                        return;
                    }
                    thread::sleep(PAUSE);
                }
                Ok(count @ 1..) => {
                    // No more than the chunk has.
                    let count = usize::try_from(count).unwrap_or(0).min(chunk.len());
                    self.take(&chunk[..count]);
                    last = Instant::now();
                }
                _ => self.stream = None,
            }
            if start.elapsed() > LONGEST {
                return;
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        let too_many = self.text.len().saturating_sub(CONSOLE_BYTES);
        self.text.drain(..too_many);
    }

    pub(super) fn text(&self) -> Vec<u8> {
        self.text.clone()
    }
}
