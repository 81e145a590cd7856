//! What passes over the app's network interface, in a file of the host.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::time::SystemTime;

use morgana_net_device::{Direction, FrameSink, pcapng};

/// More than any frame has: frames are kept whole.
const SNAP_LEN: u32 = 65_535;

/// A capture in the pcapng format. Each frame is written as it passes, so that the file is whole at all times.
#[derive(Debug)]
pub(crate) struct CaptureFile {
    file: File,
    /// Where the last whole frame ends; `None` when a write has failed, after which nothing more is written.
    end: Option<u64>,
    block: Vec<u8>,
}

impl CaptureFile {
    /// Makes the file, in place of one that is there.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        let mut block = Vec::new();
        pcapng::header(&mut block, SNAP_LEN);
        file.write_all(&block)?;
        Ok(Self {
            file,
            end: Some(block.len() as u64),
            block,
        })
    }

    /// After a failed write: what was written of the last frame goes, where the file lets it.
    fn give_up(&mut self, end: u64, error: &io::Error) {
        eprintln!("the capture ends here: {error}");
        self.end = None;
        if self.file.set_len(end).is_ok() {
            // Nothing follows; it is only left where it belongs.
            let _ = self.file.rewind();
        }
    }
}

impl FrameSink for CaptureFile {
    fn is_recording(&self) -> bool {
        self.end.is_some()
    }

    fn frame(&mut self, direction: Direction, frame: &[u8]) {
        let Some(end) = self.end else { return };
        // The device is domain 0's end; the capture is of the app's.
        let direction = match direction {
            Direction::Sent => Direction::Received,
            Direction::Received => Direction::Sent,
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now_ns = now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
        self.block.clear();
        let kept = &frame[..frame.len().min(SNAP_LEN as usize)];
        pcapng::packet(&mut self.block, direction, now_ns, kept, frame.len());
        match self.file.write_all(&self.block) {
            Ok(()) => self.end = Some(end + self.block.len() as u64),
            Err(error) => self.give_up(end, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_that_cannot_be_written_ends() {
        let mut capture = CaptureFile::create(Path::new("/dev/null")).unwrap();
        assert!(capture.is_recording());
        capture.frame(Direction::Sent, &[0; 60]);
        assert!(capture.is_recording());
        capture.file = File::open("/dev/null").unwrap();
        capture.frame(Direction::Sent, &[0; 60]);
        assert!(!capture.is_recording());
        assert!(CaptureFile::create(Path::new("/nowhere/at/all")).is_err());
    }
}
