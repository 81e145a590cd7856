//! What was asked in a transaction, and what of it can be asked again.

use morgana_xenstore_wire::Operation;

use crate::script::{Ask, Cast, Episode, Step, Transaction};
use crate::transcript::Answer;

/// An episode up to a step, and what came of it.
#[derive(Clone, Copy)]
pub(crate) struct History<'a> {
    pub(crate) episode: &'a Episode,
    pub(crate) ours: &'a [Answer],
    pub(crate) theirs: &'a [Answer],
    pub(crate) number: usize,
}

impl<'a> History<'a> {
    pub(crate) fn step(self) -> &'a Step {
        &self.episode.steps[self.number]
    }

    /// The requests about nodes in the transaction that a step began, before this step.
    pub(crate) fn asked_in(
        self,
        begun: usize,
    ) -> impl DoubleEndedIterator<Item = (usize, &'a Ask)> {
        let steps = self.episode.steps[..self.number].iter().enumerate();
        steps.skip(begun).filter_map(move |(number, step)| {
            let Step::Ask(ask) = step else { return None };
            let is_own = ask.transaction == Transaction::Begun(begun) && ask.is_about_nodes();
            is_own.then_some((number, ask))
        })
    }
}

impl Ask {
    pub(crate) fn operation(&self) -> Option<Operation> {
        Operation::from_code(self.code)
    }

    /// Whether what comes of it depends on the tree that it is asked on.
    pub(crate) fn is_about_nodes(&self) -> bool {
        use Operation::{Directory, DirectoryPart, GetPerms, Mkdir, Read, Rm, SetPerms, Write};
        let about_nodes = [
            Directory,
            DirectoryPart,
            GetPerms,
            Mkdir,
            Read,
            Rm,
            SetPerms,
            Write,
        ];
        self.operation()
            .is_some_and(|operation| about_nodes.contains(&operation))
    }

    /// The strings of the payload that are ended by a NUL.
    pub(crate) fn strings(&self) -> Vec<&[u8]> {
        let mut strings: Vec<&[u8]> = self.payload.split(|&byte| byte == 0).collect();
        strings.pop();
        strings
    }

    /// What is behind the last NUL.
    pub(crate) fn rest(&self) -> &[u8] {
        self.payload
            .rsplit(|&byte| byte == 0)
            .next()
            .unwrap_or_default()
    }

    /// The first string, as a path from the root.
    pub(crate) fn absolute(&self, cast: Cast) -> Option<String> {
        let path = core::str::from_utf8(self.strings().first()?).ok()?;
        if path.starts_with('/') || path.starts_with('@') {
            return Some(path.to_owned());
        }
        let domain = cast.domain(self.client).map_or(0, |domain| domain.number());
        Some(format!("/local/domain/{domain}/{path}"))
    }
}

/// The path, and those above it, from the root down.
pub(crate) fn down_to(path: &str) -> Vec<&str> {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    let mut all: Vec<&str> = slashes.map(|at| &path[..at.max(1)]).collect();
    if path != "/" {
        all.push(path);
    }
    all
}

/// The path above.
pub(crate) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(at) => &path[..at.max(1)],
        None => "/",
    }
}

/// Whether a path is strictly below another one.
pub(crate) fn is_below(path: &str, above: &str) -> bool {
    let above = above.trim_end_matches('/');
    path.strip_prefix(above)
        .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}
