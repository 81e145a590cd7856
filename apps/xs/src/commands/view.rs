//! `xs view`: what comes, changes and goes, as it happens.

use std::fmt::Display;

use morgana_exec::{Either, select};
use morgana_hal::Clock;
use morgana_linux::LinuxClock;
use morgana_xenstore_client::Changed;

use crate::cli;
use crate::escape::quoted;
use crate::failure::Failure;
use crate::output::Output;
use crate::paint::Style;
use crate::path::{self, Kind};
use crate::permissions::Listed;
use crate::picture::{Difference, Picture, Seen};
use crate::session::Session;
use crate::walk::Details;
use crate::watching::{Watching, depth};

/// What to look at.
#[derive(Debug)]
pub(crate) struct View {
    path: String,
    details: Details,
    depth: usize,
}

impl View {
    pub(crate) fn check(arguments: cli::View) -> Result<Self, Failure> {
        let details = if arguments.long {
            Details::Permissions
        } else {
            Details::None
        };
        Ok(Self {
            path: path::check(&arguments.path, Kind::Node)?,
            details,
            depth: arguments.depth.unwrap_or(usize::MAX),
        })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let (timers, limit) = (session.timers.clone(), session.timeout);
        let gone = session.reader_gone();
        let followed = select(self.follow(session), gone);
        let ended = match limit {
            None => followed.await,
            Some(limit) => match timers.timeout(limit, followed).await {
                Ok(ended) => ended,
                Err(_) => return Ok(()),
            },
        };
        match ended {
            Either::First(done) => done,
            Either::Second(()) => Ok(()),
        }
    }

    async fn follow(&self, session: &mut Session) -> Result<(), Failure> {
        let client = session.client.clone();
        let out = &mut session.out;
        // Watched first, so that nothing is missed between the picture and the first change.
        let watching = Watching::set(&client, std::slice::from_ref(&self.path)).await?;
        let mut picture = Picture::new(&client, &self.path, self.details, self.depth);
        picture.rescan(&mut |_| Ok(())).await?;
        let nodes = match picture.len() {
            1 => "1 node".to_owned(),
            nodes => format!("{nodes} nodes"),
        };
        line(out, Style::Faint, format_args!("= {}: {nodes}", self.path))?;
        out.flush()?;
        loop {
            let (root, changed) = watching.next().await?;
            let mut tell = |difference: Difference<'_>| show(out, difference);
            match changed {
                Changed::Anything => picture.rescan(&mut tell).await?,
                Changed::Path(path) => {
                    let path = self.seen(root, &path);
                    picture.refresh(path, &mut tell).await?;
                }
            }
            out.flush()?;
        }
    }

    /// The node at or above `path` that is no more levels below `root` than are looked at.
    fn seen<'a>(&self, root: &str, path: &'a str) -> &'a str {
        let beyond = depth(root, path).map_or(0, |levels| levels.saturating_sub(self.depth));
        let mut path = path;
        for _ in 0..beyond {
            path = path.rfind('/').map_or(path, |slash| &path[..slash.max(1)]);
        }
        path
    }
}

fn show(out: &mut Output, difference: Difference<'_>) -> Result<(), Failure> {
    match difference {
        Difference::Added(path, now) => {
            line(out, Style::Added, format_args!("+ {path}{}", shown(now)))
        }
        Difference::Removed(path, before) => {
            line(out, Style::Gone, format_args!("- {path}{}", shown(before)))
        }
        Difference::Changed(path, before, now) => {
            let (old, new) = (before, now);
            if old.value != new.value {
                let (old, new) = (quoted(&old.value), quoted(&new.value));
                line(out, Style::Changed, format_args!("~ {path} {old} -> {new}"))?;
            }
            if old.permissions != new.permissions {
                let (old, new) = (Listed(&old.permissions), Listed(&new.permissions));
                line(
                    out,
                    Style::Changed,
                    format_args!("~ {path} ({old}) -> ({new})"),
                )?;
            }
            Ok(())
        }
    }
}

/// What is behind a node's path.
fn shown(seen: &Seen) -> String {
    let mut text = String::new();
    if !seen.value.is_empty() {
        text = format!(" = {}", quoted(&seen.value));
    }
    if !seen.permissions.is_empty() {
        text += &format!("  ({})", Listed(&seen.permissions));
    }
    text
}

/// Writes a line with the time before it (UTC).
fn line(out: &mut Output, style: Style, text: impl Display) -> Result<(), Failure> {
    let millis = LinuxClock.wall().unix_nanos() / 1_000_000;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let time = format!("{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
    let (time, text) = (out.paint(Style::Faint, time), out.paint(style, text));
    out.line(format!("{time} {text}"))
}
