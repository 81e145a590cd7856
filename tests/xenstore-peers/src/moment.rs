//! Our store at a moment of an episode, to be asked what nobody asked then.

use std::collections::BTreeMap;

use morgana_xenstore_wire::{Header, Operation, RequestId, TransactionId};

use crate::ours::Ours;
use crate::script::{Ask, Episode, Step, Transaction};
use crate::subject::{Player, Subject};
use crate::transcript::Answer;

/// A number that no step of an episode has.
const NO_STEP: usize = 1 << 20;

/// Our store, as it was before some step.
pub(crate) struct Moment {
    player: Player<Ours>,
}

/// A node, as the replies about it show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sight {
    pub(crate) value: String,
    pub(crate) permissions: String,
    /// The children's names.
    pub(crate) children: String,
    /// The number that changes with them.
    pub(crate) generation: String,
}

impl Moment {
    /// Plays the episode up to the step of that number.
    pub(crate) fn before(episode: &Episode, number: usize) -> Self {
        let mut player = Player::new(Ours::new(episode));
        for (number, step) in episode.steps[..number].iter().enumerate() {
            // What ours did not answer is an error before anything is compared.
            let _ = player.step(number, step);
        }
        Self { player }
    }

    /// Asks as the client did, but outside of its transaction.
    pub(crate) fn repeat(&mut self, ask: &Ask) -> Answer {
        let ask = Ask {
            transaction: Transaction::None,
            ..ask.clone()
        };
        let answer = self.player.step(NO_STEP, &Step::Ask(ask));
        answer.unwrap_or_default()
    }

    /// What a program of domain 0 is told, with `|` for NUL.
    fn told(&mut self, operation: Operation, payload: &[u8]) -> Option<String> {
        let header = Header {
            code: operation.code(),
            request: RequestId(0),
            transaction: TransactionId::NONE,
            len: payload.len() as u32,
        };
        let (code, payload) = self.player.subject().ask(0, header, payload).ok()?;
        let text = String::from_utf8_lossy(&payload).replace('\0', "|");
        (code == header.code).then_some(text)
    }

    /// The node of an absolute path.
    pub(crate) fn sight(&mut self, path: &str) -> Option<Sight> {
        let path = format!("{path}\0");
        let part = self.told(Operation::DirectoryPart, format!("{path}0\0").as_bytes())?;
        let (generation, children) = part.split_once('|')?;
        Some(Sight {
            value: self.told(Operation::Read, path.as_bytes())?,
            permissions: self.told(Operation::GetPerms, path.as_bytes())?,
            children: children.to_owned(),
            generation: generation.to_owned(),
        })
    }

    pub(crate) fn has(&mut self, path: &str) -> bool {
        self.permissions(path).is_some()
    }

    /// The number of the node's owner, if there is the node.
    pub(crate) fn owner(&mut self, path: &str) -> Option<u16> {
        let permissions = self.permissions(path)?;
        let first = permissions.split('|').next()?;
        first.get(1..)?.parse().ok()
    }

    fn permissions(&mut self, path: &str) -> Option<String> {
        self.told(Operation::GetPerms, format!("{path}\0").as_bytes())
    }

    /// All nodes from the path on.
    pub(crate) fn tree(&mut self, path: &str) -> BTreeMap<String, Sight> {
        let mut found = BTreeMap::new();
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            let Some(sight) = self.sight(&path) else {
                continue;
            };
            let names = sight.children.split('|').filter(|name| !name.is_empty());
            let above = path.trim_end_matches('/');
            open.extend(names.map(|name| format!("{above}/{name}")));
            found.insert(path, sight);
        }
        found
    }
}
