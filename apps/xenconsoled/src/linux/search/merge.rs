//! Several logs, in the order of time.

use std::io;

use super::line::Line;
use super::source::{Last, Source, Subject};

/// The logs, and each one's next line.
#[derive(Debug)]
pub(super) struct Merge {
    sources: Vec<(Source, Option<Line>)>,
    end: Last,
    begun: bool,
    last: usize,
}

impl Merge {
    /// `end` says what becomes of lines that have no end yet.
    pub(super) fn new(sources: Vec<Source>, end: Last) -> Self {
        Self {
            sources: sources.into_iter().map(|source| (source, None)).collect(),
            end,
            begun: false,
            last: 0,
        }
    }

    /// The oldest of the lines that come next; of lines of the same time, or none, all of one log first.
    pub(super) fn next(&mut self) -> io::Result<Option<(&Subject, Line)>> {
        if !self.begun {
            self.begun = true;
            for (source, line) in &mut self.sources {
                *line = source.next(self.end)?;
            }
        }
        let times = self.sources.iter().enumerate();
        let waiting = times.filter_map(|(index, (_, line))| {
            let time = line.as_ref()?.time.unwrap_or(0);
            Some((time, index != self.last, index))
        });
        let Some((.., index)) = waiting.min() else {
            return Ok(None);
        };
        self.last = index;
        let (source, waiting) = &mut self.sources[index];
        let next = source.next(self.end)?;
        let line = core::mem::replace(waiting, next);
        Ok(line.map(|line| (&source.subject, line)))
    }

    /// The logs, of which all lines were read.
    pub(super) fn into_sources(self) -> Vec<Source> {
        self.sources.into_iter().map(|(source, _)| source).collect()
    }
}
