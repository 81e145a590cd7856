//! The operator's end of consoles, for tests and for the benchmark `console`.
//!
//! `perf-console send|take|both BYTES SEED:TERMINAL…` moves so many bytes over each of the terminals at once, from the guest, to it, or both, and
//! prints the seconds that it took. `perf-console ping COUNT SEED:TERMINAL [BYTES SEED:TERMINAL]` prints the round trips in microseconds,
//! sorted; while the guest at the second terminal, if there is one, sends so many bytes.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{Read, Write};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use guest_console::Stream;

/// Bytes at once.
const PIECE: usize = 4096;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &words[..] {
        ["ping", count, quiet] => {
            print(&mut pings(&Terminal::parse(quiet)?, number(count)?)?);
        }
        ["ping", count, quiet, bytes, loud] => {
            let (quiet, loud) = (Terminal::parse(quiet)?, Terminal::parse(loud)?);
            let (count, bytes) = (number(count)?, number(bytes)?);
            let times = thread::scope(|scope| {
                let flood = scope.spawn(|| loud.run(Way::Send, bytes));
                let times = pings(&quiet, count);
                flood.join().expect("the flood does not panic")?;
                times
            });
            print(&mut times?);
        }
        [way, bytes, terminals @ ..] if !terminals.is_empty() => {
            let way = Way::parse(way)?;
            let bytes = number(bytes)?;
            let terminals = terminals.iter().map(|word| Terminal::parse(word));
            let terminals = terminals.collect::<Result<Vec<_>>>()?;
            let start = Instant::now();
            thread::scope(|scope| {
                let runs: Vec<_> = terminals
                    .iter()
                    .map(|terminal| scope.spawn(|| terminal.run(way, bytes)))
                    .collect();
                runs.into_iter()
                    .try_for_each(|run| run.join().expect("a run does not panic"))
            })?;
            println!("{:.6}", start.elapsed().as_secs_f64());
        }
        _ => bail!(
            "send|take|both BYTES SEED:TERMINAL…, or ping COUNT SEED:TERMINAL [BYTES SEED:TERMINAL]"
        ),
    }
    Ok(())
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text} is no number"))
}

fn print(times: &mut [u128]) {
    times.sort_unstable();
    for time in times {
        println!("{time}");
    }
}

/// Which way bytes go, as the guest sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Send,
    Take,
    Both,
}

impl Way {
    fn parse(word: &str) -> Result<Self> {
        match word {
            "send" => Ok(Self::Send),
            "take" => Ok(Self::Take),
            "both" => Ok(Self::Both),
            _ => bail!("{word} is not send, take or both"),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Take => "take",
            Self::Both => "both",
        }
    }
}

/// A guest's terminal, and the guest's seed.
struct Terminal {
    seed: u64,
    path: String,
    file: File,
}

impl Terminal {
    fn parse(word: &str) -> Result<Self> {
        let (seed, path) = word
            .split_once(':')
            .with_context(|| format!("{word} is not SEED:TERMINAL"))?;
        let file = File::options().read(true).write(true).open(path);
        Ok(Self {
            seed: number(seed)?,
            path: path.to_owned(),
            file: file.with_context(|| path.to_owned())?,
        })
    }

    fn run(&self, way: Way, bytes: u64) -> Result<()> {
        let order = format!("{} {bytes}\n", way.word());
        (&self.file).write_all(order.as_bytes())?;
        thread::scope(|scope| {
            let given = (way != Way::Send).then(|| scope.spawn(|| self.give(bytes)));
            if way != Way::Take {
                self.check(bytes)?;
            }
            if let Some(given) = given {
                given.join().expect("giving does not panic")?;
                let answer = self.line()?;
                ensure!(answer == "ok", "{}: the guest says {answer}", self.path);
            }
            Ok(())
        })
    }

    fn give(&self, bytes: u64) -> Result<()> {
        let mut stream = Stream::new(self.seed);
        let mut piece = [0; PIECE];
        let mut left = bytes;
        while left > 0 {
            let len = piece.len().min(usize::try_from(left)?);
            stream.fill(&mut piece[..len]);
            (&self.file).write_all(&piece[..len])?;
            left -= len as u64;
        }
        Ok(())
    }

    fn check(&self, bytes: u64) -> Result<()> {
        let mut stream = Stream::new(self.seed);
        let mut piece = [0; PIECE];
        let mut at = 0;
        while at < bytes {
            let most = piece.len().min(usize::try_from(bytes - at)?);
            let len = (&self.file).read(&mut piece[..most])?;
            ensure!(len > 0, "{} ends at byte {at}", self.path);
            if let Some(place) = stream.differs(&piece[..len]) {
                bail!("{}: byte {} is wrong", self.path, at + place as u64);
            }
            at += len as u64;
        }
        Ok(())
    }

    fn line(&self) -> Result<String> {
        let mut line = Vec::new();
        let mut byte = [0; 1];
        loop {
            ensure!(
                (&self.file).read(&mut byte)? == 1,
                "{} has ended",
                self.path
            );
            if byte == *b"\n" {
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            line.push(byte[0]);
        }
    }
}

fn pings(terminal: &Terminal, count: u64) -> Result<Vec<u128>> {
    (0..count)
        .map(|_| {
            let start = Instant::now();
            (&terminal.file).write_all(b"ping\n")?;
            let answer = terminal.line()?;
            ensure!(answer == "ping", "{} says {answer}", terminal.path);
            Ok(start.elapsed().as_micros())
        })
        .collect()
}
