//! The serial console of the testbed: Xen's and dom0's kernel messages, kept for when something fails.

use std::collections::VecDeque;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

/// How much of it is kept.
const KEPT: usize = 256 * 1024;

/// What came last over the serial line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Console {
    kept: Arc<Mutex<VecDeque<u8>>>,
}

impl Console {
    /// Starts to collect.
    pub(crate) fn follow(mut stream: UnixStream) -> Console {
        let console = Console::default();
        let ours = console.clone();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count) = stream.read(&mut chunk) {
                if count == 0 {
                    break;
                }
                let mut kept = ours.kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&chunk[..count]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
        });
        console
    }

    /// All that is kept.
    pub(crate) fn text(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        String::from_utf8_lossy(&bytes).replace('\r', "")
    }

    /// The last lines, for an error message.
    pub(crate) fn tail(&self) -> String {
        const LINES: usize = 25;
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}
