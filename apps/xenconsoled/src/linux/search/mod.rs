//! `xenconsoled log`: looks through the logs of guests and of Xen, by domain, time and text.

mod arguments;
mod follow;
mod line;
mod merge;
mod part;
mod source;
mod time;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use arguments::{Query, Request};
use follow::Followed;
use merge::Merge;
use source::{Last, Source, Subject, subjects};

/// What the first word says that asks for this.
pub(super) const COMMAND: &str = "log";
/// For arguments that make no sense.
const USAGE: u8 = 2;
/// As grep has it: nothing was found.
const NOTHING: u8 = 1;
/// As grep has it: something went wrong.
const TROUBLE: u8 = 2;

/// Prints what the arguments behind `log` ask for.
pub(super) fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let query = match Request::parse(arguments, now.unwrap_or_default().as_secs()) {
        Ok(Request::Help) => {
            print!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Request::Search(query)) => query,
        Err(error) => {
            eprintln!("xenconsoled log: {error} (try --help)");
            return ExitCode::from(USAGE);
        }
    };
    match search(&query) {
        Ok(0) => ExitCode::from(NOTHING),
        Ok(_) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xenconsoled log: {}: {error}", query.folder.display());
            ExitCode::from(TROUBLE)
        }
    }
}

/// Prints to standard output; returns how many lines that were.
fn search(query: &Query) -> io::Result<u64> {
    let mut printer = Printer::new(query, BufWriter::new(io::stdout().lock()));
    let sources = look(&mut printer)?;
    if query.follow {
        Followed::new(query, sources).run(&mut printer)?;
    }
    Ok(printer.printed)
}

/// Prints what there is; returns the logs.
fn look<W: Write>(printer: &mut Printer<'_, W>) -> io::Result<Vec<Source>> {
    let query = printer.query;
    let found: Vec<Subject> = subjects(&query.folder)?
        .into_iter()
        .filter(|subject| query.wants(subject))
        .collect();
    let sources = found
        .iter()
        .map(|subject| Source::open(&query.folder, subject))
        .collect::<io::Result<Vec<Source>>>()?;
    let end = match query.follow {
        true => Last::Open,
        false => Last::Whole,
    };
    let mut merge = Merge::new(sources, end);
    while let Some((subject, line)) = merge.next()? {
        printer.print(subject, &line)?;
    }
    printer.out.flush()?;
    Ok(merge.into_sources())
}

/// Prints the lines that are asked for.
struct Printer<'a, W> {
    query: &'a Query,
    out: W,
    /// Whether each line says whose it is.
    named: bool,
    printed: u64,
}

impl<'a, W: Write> Printer<'a, W> {
    fn new(query: &'a Query, out: W) -> Self {
        Self {
            query,
            out,
            named: query.domains.len() != 1,
            printed: 0,
        }
    }

    fn print(&mut self, subject: &Subject, line: &line::Line) -> io::Result<()> {
        if !self.query.matches(line) {
            return Ok(());
        }
        self.printed += 1;
        if self.named {
            write!(self.out, "{subject}: ")?;
        }
        if let Some(time) = line.noted {
            write!(self.out, "[{}] ", time::text(time))?;
        }
        self.out.write_all(&line.harmless())?;
        self.out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests;
