//! Lines as they come.

use core::convert::Infallible;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use super::Printer;
use super::arguments::Query;
use super::source::{Last, Source, subjects};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Logs that are looked at again and again.
pub(super) struct Followed<'a> {
    query: &'a Query,
    sources: Vec<Source>,
}

impl<'a> Followed<'a> {
    pub(super) fn new(query: &'a Query, sources: Vec<Source>) -> Self {
        Self { query, sources }
    }

    /// Prints what comes, for ever: new domains', too.
    pub(super) fn run<W: Write>(mut self, printer: &mut Printer<'_, W>) -> io::Result<Infallible> {
        loop {
            self.look(printer)?;
            thread::sleep(PAUSE);
        }
    }

    /// Prints what has come.
    pub(super) fn look<W: Write>(&mut self, printer: &mut Printer<'_, W>) -> io::Result<()> {
        for subject in subjects(&self.query.folder)? {
            let is_new = self.sources.iter().all(|known| known.subject != subject);
            if is_new && self.query.wants(&subject) {
                self.sources
                    .push(Source::open(&self.query.folder, &subject)?);
            }
        }
        for source in &mut self.sources {
            source.refresh()?;
            while let Some(line) = source.next(Last::Open)? {
                printer.print(&source.subject, &line)?;
            }
        }
        printer.out.flush()
    }
}
