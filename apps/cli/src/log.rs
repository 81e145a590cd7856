//! `morgana log`: records as lines.

use std::collections::VecDeque;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::Path;
use std::process;
use std::time::Duration;

use morgana_exec::{Either, select};
use morgana_linux::Linux;
use morgana_logs::record::{Entry, Follow, Line, Query, ToDomain};
use morgana_logs::{LOGGER, OFFERS, ReadError, Reader};

use crate::cli::Log;
use crate::failure::Failure;
use crate::json::json;
use crate::session::Session;

/// What offers of this program are called, with its process id behind it.
const NAME: &str = "read-";
/// Before a logger that is gone is asked again.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(session: &Session, arguments: Log) -> Result<(), Failure> {
    remove_left(session).await;
    let mut query = query(&arguments);
    let mut shown = Shown::new(&arguments);
    let watch = session.client.watch(LOGGER).await.map_err(Failure::of)?;
    watch.next().await.map_err(Failure::of)?;
    loop {
        let mut reader = open(session, &arguments, query.clone()).await?;
        let read = read(&mut reader, &mut shown, &mut query);
        let other = select(watch.next(), session.interrupts.next());
        let end = select(read, other).await;
        // Its keys are to be gone whatever comes.
        let closed = reader.close().await;
        match end {
            Either::First(Ok(())) => {
                closed.map_err(Failure::of)?;
                return shown.finish();
            }
            Either::First(Err(End::Read(ReadError::Stream(_) | ReadError::NoAnswer)))
                if arguments.follow && shown.last.is_none() =>
            {
                say("the logger is gone: waiting for it");
                session.timers.sleep(PAUSE).await;
            }
            Either::First(Err(End::Read(error))) => return Err(Failure::of(error)),
            Either::First(Err(End::Output(error))) => return Err(error),
            Either::Second(Either::First(changed)) => drop(changed.map_err(Failure::of)?),
            Either::Second(Either::Second(())) => {
                shown.finish()?;
                return Err(Failure::Interrupted);
            }
        }
    }
}

/// What is asked for.
fn query(arguments: &Log) -> Query {
    let all = Query::default();
    Query {
        whose: arguments.domain.clone(),
        level: arguments.level,
        target: arguments.target.clone(),
        text: arguments.grep.clone(),
        since: arguments.since.unwrap_or(all.since),
        until: arguments.until.unwrap_or(all.until),
        from: 0,
        follow: match arguments.follow {
            true => Follow::Yes,
            false => Follow::No,
        },
    }
}

async fn open(session: &Session, arguments: &Log, query: Query) -> Result<Reader<Linux>, Failure> {
    let logger = session.logger(arguments.logger.as_deref()).await?;
    let name = format!("{NAME}{}", process::id());
    let (platform, client, timers) = (&session.platform, &session.client, &session.timers);
    let reader = Reader::open(platform, client, timers, logger, &name, query);
    reader
        .await
        .map_err(|error| Failure::Failed(format!("domain {}: {error}", logger.number())))
}

/// Why reading has ended.
enum End {
    Read(ReadError),
    Output(Failure),
}

/// Reads until all is there, or for ever. `query` then asks for what comes behind it.
async fn read(reader: &mut Reader<Linux>, shown: &mut Shown, query: &mut Query) -> Result<(), End> {
    loop {
        match reader.next().await.map_err(End::Read)? {
            ToDomain::Entry(number, entry) => {
                query.from = number + 1;
                shown.entry(number, &entry).map_err(End::Output)?;
            }
            ToDomain::Lost(count) => {
                say(&format!(
                    "{count} records were overwritten before they were read"
                ));
            }
            ToDomain::UpToDate(next) => {
                query.from = query.from.max(next);
                shown.up_to_date().map_err(End::Output)?;
                if query.follow == Follow::No {
                    return Ok(());
                }
            }
            // The reader has made errors of them.
            ToDomain::Kept(_) | ToDomain::Refused(_) => {}
        }
    }
}

/// Takes keys away that were left by processes which were killed.
async fn remove_left(session: &Session) {
    let Ok(names) = session.client.children(OFFERS).await else {
        return;
    };
    for name in names {
        let Some(process) = name.strip_prefix(NAME) else {
            continue;
        };
        if !Path::new("/proc").join(process).exists() {
            // Another one may do the same at this moment.
            let _ = session.client.remove(&format!("{OFFERS}/{name}")).await;
        }
    }
}

fn say(text: &str) {
    // Nobody is left to be told if that fails.
    let _ = writeln!(io::stderr(), "morgana: {text}");
}

/// Where records are shown.
struct Shown {
    out: BufWriter<Stdout>,
    as_json: bool,
    /// With `--lines`: how many, and the last ones so far, until all are there.
    last: Option<(usize, VecDeque<String>)>,
    /// Whether each line is to be seen at once.
    at_once: bool,
}

impl Shown {
    fn new(arguments: &Log) -> Self {
        let out = io::stdout();
        Self {
            at_once: arguments.follow || out.is_terminal(),
            out: BufWriter::new(out),
            as_json: arguments.json,
            last: arguments.lines.map(|lines| (lines, VecDeque::new())),
        }
    }

    fn entry(&mut self, number: u64, entry: &Entry) -> Result<(), Failure> {
        let line = if self.as_json {
            json(number, entry).map_err(Failure::of)?
        } else {
            Line(entry).to_string()
        };
        if let Some((lines, last)) = &mut self.last {
            last.push_back(line);
            if last.len() > *lines {
                last.pop_front();
            }
            return Ok(());
        }
        writeln!(self.out, "{line}")?;
        if self.at_once {
            self.out.flush()?;
        }
        Ok(())
    }

    /// All is there that there was: what comes now is new.
    fn up_to_date(&mut self) -> Result<(), Failure> {
        for line in self.last.take().into_iter().flat_map(|(_, last)| last) {
            writeln!(self.out, "{line}")?;
        }
        Ok(self.out.flush()?)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.up_to_date()
    }
}
