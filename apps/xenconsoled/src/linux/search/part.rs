//! One file of a log.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use morgana_daemon::{TimeEntry, log_times};

/// The longest line, in bytes. What is longer is cut into lines.
const LONGEST: usize = 64 << 10;

/// A file, and how far it was read.
#[derive(Debug)]
pub(super) struct Part {
    reader: BufReader<File>,
    pub(super) inode: u64,
    offset: u64,
    times: Vec<TimeEntry>,
    /// How many of the times lie before what was read.
    passed: usize,
}

impl Part {
    /// `None` if there is no such file.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let metadata = file.metadata()?;
        Ok(Some(Self {
            reader: BufReader::new(file),
            inode: metadata.ino(),
            offset: 0,
            times: log_times(path, &metadata),
            passed: 0,
        }))
    }

    /// When what comes next was written, if that was noted.
    pub(super) fn noted(&mut self) -> Option<u64> {
        while let Some(entry) = self.times.get(self.passed)
            && entry.offset <= self.offset
        {
            self.passed += 1;
        }
        let last = self.times.get(self.passed.checked_sub(1)?)?;
        Some(last.unix_seconds)
    }

    /// Reads on to the end of a line, or of the file; appends what there is to `line`.
    pub(super) fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<usize> {
        let most = LONGEST.saturating_sub(line.len());
        let mut taken = 0;
        while taken < most {
            let there = self.reader.fill_buf()?;
            let there = &there[..there.len().min(most - taken)];
            if there.is_empty() {
                break;
            }
            let end = there.iter().position(|&byte| byte == b'\n');
            let len = end.map_or(there.len(), |end| end + 1);
            line.extend_from_slice(&there[..len]);
            self.reader.consume(len);
            taken += len;
            if end.is_some() {
                break;
            }
        }
        self.offset += taken as u64;
        Ok(taken)
    }

    /// Whether a line is whole.
    pub(super) fn is_whole(line: &[u8]) -> bool {
        line.ends_with(b"\n") || line.len() >= LONGEST
    }

    /// Reads the times anew, and goes back to the beginning if the file was cut.
    pub(super) fn refresh(&mut self, path: &Path) -> io::Result<()> {
        let metadata: Metadata = self.reader.get_ref().metadata()?;
        if metadata.len() < self.offset {
            io::Seek::rewind(&mut self.reader)?;
            (self.offset, self.passed) = (0, 0);
        }
        self.times = log_times(path, &metadata);
        self.passed = self.passed.min(self.times.len());
        Ok(())
    }
}
