//! What is asked for.

use core::fmt;
use std::path::PathBuf;

use super::line::Line;
use super::source::Subject;
use super::time;

/// What `--help` prints.
pub(super) const USAGE: &str = "\
xenconsoled log [OPTION…] [TEXT]: prints lines of the logs of guests and of Xen, older parts
among them, in the order of time

  -d, --domain NAME   of this guest only (may be given again)
      --hv            of Xen itself (besides the guests that are named)
  -s, --since TIME    from then on
  -u, --until TIME    before then
  -i, --ignore-case   letters of TEXT may be large or small
  -f, --follow        go on with what comes
      --log-dir DIR   where the logs are (/var/log/xen/console)
  -h, --help          print this

TIME is a date, a time of today's or both (2026-11-26, 09:30, \"2026-11-26 09:30:00\"), or
how long ago (90s, 10m, 2h, 3d). It is compared with what the log has: xenconsoled of
Morgana writes UTC, Xen's own the local time. Lines whose time is not known are printed
only if no TIME is asked for. What could be a terminal's control sequence is replaced.
The exit status is 0 if there was such a line, 1 if there was none, and 2 in trouble.
";

/// What the arguments ask for.
#[derive(Debug)]
pub(super) enum Request {
    Help,
    Search(Query),
}

/// Which lines of which logs.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) folder: PathBuf,
    /// Of all, if there is none.
    pub(super) domains: Vec<Subject>,
    pub(super) since: Option<u64>,
    pub(super) until: Option<u64>,
    text: Vec<u8>,
    case: Case,
    pub(super) follow: bool,
}

/// Whether large and small letters differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Case {
    Kept,
    Ignored,
}

/// Arguments that make no sense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum UsageError {
    Unknown(String),
    NoValue(String),
    NoTime(String),
    SecondText(String),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(option) => write!(f, "{option} is no option"),
            Self::NoValue(option) => write!(f, "{option} needs a value"),
            Self::NoTime(text) => write!(f, "{text} is no point in time"),
            Self::SecondText(text) => write!(f, "{text} is a second text to look for"),
        }
    }
}

impl core::error::Error for UsageError {}

impl Request {
    /// Reads the arguments behind `log`, at `now`.
    pub(super) fn parse(
        arguments: impl Iterator<Item = String>,
        now: u64,
    ) -> Result<Self, UsageError> {
        let mut query = Query {
            folder: "/var/log/xen/console".into(),
            domains: Vec::new(),
            since: None,
            until: None,
            text: Vec::new(),
            case: Case::Kept,
            follow: false,
        };
        let mut words = split(arguments).into_iter();
        while let Some(option) = words.next() {
            let mut value = || words.next().ok_or(UsageError::NoValue(option.clone()));
            let point = |text: String| time::parse(&text, now).ok_or(UsageError::NoTime(text));
            match option.as_str() {
                "-h" | "--help" => return Ok(Self::Help),
                "-d" | "--domain" => query.domains.push(Subject::Guest(value()?)),
                "--hv" => query.domains.push(Subject::Hypervisor),
                "-s" | "--since" => query.since = Some(point(value()?)?),
                "-u" | "--until" => query.until = Some(point(value()?)?),
                "-i" | "--ignore-case" => query.case = Case::Ignored,
                "-f" | "--follow" => query.follow = true,
                "--log-dir" => query.folder = value()?.into(),
                "--" => query.look_for(value()?)?,
                option if option.starts_with('-') => {
                    return Err(UsageError::Unknown(option.to_owned()));
                }
                text => query.look_for(text.to_owned())?,
            }
        }
        Ok(Self::Search(query))
    }
}

/// `--name=value` is two words, up to `--`.
fn split(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut words = Vec::new();
    for argument in arguments {
        let is_text = words.last().is_some_and(|word| word == "--");
        match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") && !is_text => {
                words.extend([name.to_owned(), value.to_owned()]);
            }
            _ => words.push(argument),
        }
    }
    words
}

impl Query {
    fn look_for(&mut self, text: String) -> Result<(), UsageError> {
        if !self.text.is_empty() {
            return Err(UsageError::SecondText(text));
        }
        self.text = text.into_bytes();
        Ok(())
    }

    /// Whether somebody's log is looked at.
    pub(super) fn wants(&self, subject: &Subject) -> bool {
        self.domains.is_empty() || self.domains.contains(subject)
    }

    /// Whether a line is one that is asked for.
    pub(super) fn matches(&self, line: &Line) -> bool {
        let in_time = match line.time {
            Some(time) => {
                self.since.is_none_or(|since| time >= since)
                    && self.until.is_none_or(|until| time < until)
            }
            None => self.since.is_none() && self.until.is_none(),
        };
        in_time && self.is_in(&line.bytes)
    }

    fn is_in(&self, line: &[u8]) -> bool {
        let equal = |window: &[u8]| match self.case {
            Case::Kept => window == self.text,
            Case::Ignored => window.eq_ignore_ascii_case(&self.text),
        };
        self.text.is_empty() || line.windows(self.text.len()).any(equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Request, UsageError> {
        Request::parse(line.iter().map(|&word| word.to_owned()), 1_000_000)
    }

    #[test]
    fn options_in_either_form() {
        for line in [
            &["-d", "a", "--domain=b", "-s", "10s", "--until=09:00", "x=y"][..],
            &[
                "--domain",
                "a",
                "-d",
                "b",
                "--since=10s",
                "-u",
                "09:00",
                "--",
                "x=y",
            ],
        ] {
            let Ok(Request::Search(query)) = parse(line) else {
                panic!("{line:?}");
            };
            let named = ["a", "b"].map(|name| Subject::Guest(name.to_owned()));
            assert_eq!(query.domains, named);
            assert_eq!(query.since, Some(999_990));
            assert_eq!(query.until, Some(1_000_000 / 86_400 * 86_400 + 32_400));
            assert_eq!(query.text, b"x=y");
        }
        assert!(matches!(parse(&["-h"]), Ok(Request::Help)));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (line, expected) in [
            (&["-x"][..], UsageError::Unknown("-x".into())),
            (&["-s"], UsageError::NoValue("-s".into())),
            (&["-s", "soon"], UsageError::NoTime("soon".into())),
            (&["a", "b"], UsageError::SecondText("b".into())),
        ] {
            assert_eq!(parse(line).unwrap_err(), expected, "{line:?}");
        }
    }
}
