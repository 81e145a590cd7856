//! Who should hear of what from ours: the events that follow from the watches of the clients and from what each request changes.

use std::collections::BTreeSet;

use morgana_xenstore_wire::Operation;

use crate::history::{History, down_to, is_below};
use crate::moment::Moment;
use crate::script::{Ask, CLIENTS, Cast, Step, Transaction};
use crate::targets::reset;
use crate::transcript::Answer;

/// The watches of an episode's clients, by age.
#[derive(Debug, Default)]
pub(crate) struct Watches(Vec<Watch>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Watch {
    client: usize,
    /// From the root.
    path: String,
    /// How much of the path the client did not write.
    prefix: usize,
    token: Vec<u8>,
}

/// What a request changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Change {
    Written(String),
    /// With all paths that are watched below, and were there.
    Removed(String, Vec<String>),
}

impl Change {
    fn path(&self) -> &str {
        match self {
            Self::Written(path) | Self::Removed(path, _) => path,
        }
    }
}

impl Watches {
    /// Notes what a step does that was granted, or is no request.
    pub(crate) fn note(&mut self, step: &Step, cast: Cast) {
        if let Some(client) = reset(step, cast) {
            self.0.retain(|watch| watch.client != client);
        }
        let Step::Ask(ask) = step else { return };
        let Some(watch) = Watch::of(ask, cast) else {
            return;
        };
        match ask.operation() {
            Some(Operation::Watch) => self.0.push(watch),
            Some(Operation::Unwatch) => self.0.retain(|other| {
                let same = [(&other.path, &other.token), (&watch.path, &watch.token)];
                other.client != watch.client || same[0] != same[1]
            }),
            _ => {}
        }
    }

    /// Checks what ours told of a step that was granted. What comes of domains that come and go is left out, and what guests may not see.
    ///
    /// # Errors
    ///
    /// What they should have heard.
    pub(crate) fn check(&self, history: History<'_>) -> Result<(), String> {
        let Step::Ask(ask) = &history.episode.steps[history.number] else {
            return Ok(());
        };
        let changes = match self.changes(history, ask) {
            Some(changes) => changes,
            None => return Ok(()),
        };
        let cast = history.episode.cast;
        for client in 0..CLIENTS {
            let all = self.heard(client, &changes);
            let start = client.to_string() + " ";
            let mine = |event: &&String| event.starts_with(&start);
            let ours: Vec<&String> = history.ours[history.number]
                .events
                .iter()
                .filter(mine)
                .collect();
            // Guests hear of what they may read.
            let may: BTreeSet<&String> = ours.iter().copied().collect();
            let is_guest = cast.domain(client).is_some();
            let wanted: Vec<&String> = all
                .iter()
                .filter(|event| !is_guest || may.contains(event))
                .collect();
            if wanted != ours {
                return Err(format!(
                    "of {changes:?} client {client} should hear {wanted:?}"
                ));
            }
        }
        Ok(())
    }

    /// What the request changes for all, if that can be said.
    fn changes(&self, history: History<'_>, ask: &Ask) -> Option<Vec<Change>> {
        let mut moment = Moment::before(history.episode, history.number);
        let cast = history.episode.cast;
        match (ask.transaction, ask.operation()?) {
            (_, Operation::Watch | Operation::Introduce | Operation::Release) => None,
            (Transaction::Begun(begun), Operation::TransactionEnd) => {
                let mut before = Moment::before(history.episode, history.number);
                let mut changes = Vec::new();
                if ask.payload == b"T\0" {
                    for (number, own) in history.asked_in(begun) {
                        let granted = history.ours[number].is_granted();
                        let change =
                            granted.then(|| self.change(own, cast, &mut moment, Some(&mut before)));
                        changes.extend(change.flatten());
                        moment.repeat(own);
                    }
                }
                Some(once(changes, &mut before, &mut moment))
            }
            (Transaction::None, _) if ask.is_about_nodes() => Some(
                self.change(ask, cast, &mut moment, None)
                    .into_iter()
                    .collect(),
            ),
            _ => Some(Vec::new()),
        }
    }

    /// What a request changes that will be granted.
    fn change(
        &self,
        ask: &Ask,
        cast: Cast,
        moment: &mut Moment,
        before: Option<&mut Moment>,
    ) -> Option<Change> {
        let path = ask.absolute(cast)?;
        match ask.operation()? {
            _ if path.starts_with('@') => None,
            Operation::Write | Operation::SetPerms => Some(Change::Written(path)),
            Operation::Mkdir => (!moment.has(&path)).then_some(Change::Written(path)),
            Operation::Rm => {
                let then = before.unwrap_or(&mut *moment);
                let below = self
                    .0
                    .iter()
                    .map(|watch| &watch.path)
                    .filter(|watched| is_below(watched, &path));
                let mut gone: Vec<String> =
                    below.filter(|watched| then.has(watched)).cloned().collect();
                gone.sort();
                gone.dedup();
                moment.has(&path).then_some(Change::Removed(path, gone))
            }
            _ => None,
        }
    }

    /// What a client hears that may see everything.
    fn heard(&self, client: usize, changes: &[Change]) -> Vec<String> {
        let mut heard = Vec::new();
        for change in changes {
            let below = match change {
                Change::Removed(_, gone) => &gone[..],
                Change::Written(_) => &[],
            };
            let at_or_above = down_to(change.path());
            let here = at_or_above.iter().map(|at| (*at, change.path()));
            let below = below.iter().map(|gone| (&**gone, &**gone));
            for (watched, told) in here.chain(below) {
                for watch in &self.0 {
                    if watch.client == client && watch.path == watched {
                        let event = watch.event(told);
                        if !heard.contains(&event) {
                            heard.push(event);
                        }
                    }
                }
            }
        }
        heard
    }
}

/// Of several writes of a node the last, and nothing of what was made and taken out again.
fn once(changes: Vec<Change>, before: &mut Moment, after: &mut Moment) -> Vec<Change> {
    let mut kept: Vec<Change> = Vec::new();
    for change in changes.into_iter().rev() {
        let removed = kept
            .iter()
            .rposition(|later| matches!(later, Change::Removed(..)));
        let since = &kept[removed.map_or(0, |at| at + 1)..];
        if !since.contains(&change) || matches!(change, Change::Removed(..)) {
            kept.push(change);
        }
    }
    kept.reverse();
    kept.retain(|change| match change {
        Change::Written(path) => before.has(path) || after.has(path),
        Change::Removed(path, _) => before.has(path),
    });
    kept
}

impl Watch {
    fn of(ask: &Ask, cast: Cast) -> Option<Self> {
        let strings = ask.strings();
        let (written, token) = (strings.first()?, strings.get(1)?);
        let path = ask.absolute(cast)?;
        Some(Self {
            client: ask.client,
            prefix: path.len() - written.len(),
            path,
            token: token.to_vec(),
        })
    }

    /// What its client hears of a path at or below its own.
    fn event(&self, path: &str) -> String {
        let path = path.get(self.prefix..).unwrap_or_default();
        Answer::event(
            self.client,
            &[path.as_bytes(), b"\0", &self.token, b"\0"].concat(),
        )
    }
}
