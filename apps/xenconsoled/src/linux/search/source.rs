//! One domain's log: its files, from the oldest on, as one stream of lines.

use core::fmt;
use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::line::Line;
use super::part::Part;

/// Whose log it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Subject {
    Hypervisor,
    Guest(String),
}

impl Subject {
    /// The name of the newest file.
    fn file(&self) -> String {
        match self {
            Self::Hypervisor => "hypervisor.log".to_owned(),
            Self::Guest(name) => format!("guest-{name}.log"),
        }
    }

    /// Whose log has a file of this name, an older part or the newest.
    fn of(file: &str) -> Option<Self> {
        let log = match file.rsplit_once('.') {
            Some((log, number)) if is_number(number) => log,
            _ => file,
        };
        let stem = log.strip_suffix(".log")?;
        match stem.strip_prefix("guest-") {
            Some(name) => Some(Self::Guest(name.to_owned())),
            None => (stem == "hypervisor").then_some(Self::Hypervisor),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hypervisor => f.write_str("(Xen)"),
            // A control sequence in a name has been replaced by whoever made the file; others are not ours.
            Self::Guest(name) => name
                .chars()
                .map(|letter| if letter.is_control() { '.' } else { letter })
                .try_for_each(|letter| fmt::Write::write_char(f, letter)),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// All that have a log in this folder.
pub(super) fn subjects(folder: &Path) -> io::Result<Vec<Subject>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        if let Some(name) = entry?.file_name().to_str() {
            found.extend(Subject::of(name));
        }
    }
    Ok(found.into_iter().collect())
}

/// A log that is read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) subject: Subject,
    path: PathBuf,
    /// The oldest first; the last one is the newest, if there is that one.
    parts: VecDeque<Part>,
    /// The beginning of a line whose end is not there yet, and when it was written.
    begun: Vec<u8>,
    begun_at: Option<u64>,
    /// The time of the line before.
    time: Option<u64>,
}

impl Source {
    /// All files of a log. Whoever moves them meanwhile makes none be read twice.
    pub(super) fn open(folder: &Path, subject: &Subject) -> io::Result<Self> {
        let path = folder.join(subject.file());
        Ok(Self {
            subject: subject.clone(),
            parts: newer_than(None, &path)?,
            path,
            begun: Vec::new(),
            begun_at: None,
            time: None,
        })
    }

    /// The next line. One that has no end yet is left for later, unless `last` says that there is no later.
    pub(super) fn next(&mut self, last: Last) -> io::Result<Option<Line>> {
        while let Some(part) = self.parts.front_mut() {
            if self.begun.is_empty() {
                self.begun_at = part.noted();
            }
            part.read_line(&mut self.begun)?;
            if Part::is_whole(&self.begun) {
                return Ok(Some(self.line()));
            }
            // The newest one may grow.
            if self.parts.len() == 1 {
                break;
            }
            self.parts.pop_front();
        }
        if last == Last::Open || self.begun.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.line()))
    }

    fn line(&mut self) -> Line {
        let bytes = core::mem::take(&mut self.begun);
        let line = Line::new(bytes, self.begun_at, self.time);
        self.time = line.time;
        line
    }

    /// Looks whether there is a newer file, and what has been noted of times.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        if let [part] = self.parts.make_contiguous() {
            part.refresh(&self.path)?;
        }
        // What is left of the older one is read before them.
        let newest = self.parts.back().map(|part| part.inode);
        self.parts.extend(newer_than(newest, &self.path)?);
        Ok(())
    }
}

/// The files of a log, the oldest first, of which none is this one or older.
fn newer_than(known: Option<u64>, path: &Path) -> io::Result<VecDeque<Part>> {
    let mut parts = VecDeque::<Part>::new();
    // The newest first: while others are looked for it can only become older, and is met once more then.
    let older = (1..).map(|number: u32| PathBuf::from(format!("{}.{number}", path.display())));
    for (age, path) in core::iter::once(path.to_owned()).chain(older).enumerate() {
        let Some(part) = Part::open(&path)? else {
            // The newest one may be about to be made.
            match age {
                0 => continue,
                _ => break,
            }
        };
        if known == Some(part.inode) {
            break;
        }
        if parts.iter().all(|newer| newer.inode != part.inode) {
            parts.push_front(part);
        }
    }
    Ok(parts)
}

/// Whether a line without an end may still get one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Last {
    Open,
    Whole,
}
