//! `xs load`: what a dump has, all or nothing.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use morgana_exec::join_all;
use morgana_xenstore_client::{Error, Permission, Tree};

use crate::cli;
use crate::dump::{Entry, parse};
use crate::escape::quoted;
use crate::failure::Failure;
use crate::output::Output;
use crate::paint::Style;
use crate::path::{self, Kind};
use crate::permissions::Listed;
use crate::session::Session;
use crate::walk::{Details, Node, Walk};

/// The longest dump that is read, in bytes.
const MOST: u64 = 1 << 30;
/// Requests that are made at once.
const AT_ONCE: usize = 32;

/// What to load, and how.
#[derive(Debug)]
pub(crate) struct Load {
    /// The path that stands for the dump's own.
    target: String,
    entries: Vec<Entry>,
    others: Others,
    effect: Effect,
}

/// What becomes of nodes that are there and not in the dump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Others {
    Stay,
    Go,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    Change,
    /// Only tell what would change.
    Tell,
}

impl Load {
    pub(crate) fn check(arguments: cli::Load) -> Result<Self, Failure> {
        let target = arguments
            .path
            .map(|path| path::check(&path, Kind::Node))
            .transpose()?;
        let text = read(arguments.file)?;
        let (target, entries) = parse(&text, target.as_deref())?;
        let others = if arguments.replace {
            Others::Go
        } else {
            Others::Stay
        };
        if others == Others::Go && target == "/" {
            let why = "/ and all of xenstore is not replaced; name what is below it";
            return Err(Failure::Usage(why.to_owned()));
        }
        let effect = if arguments.dry_run {
            Effect::Tell
        } else {
            Effect::Change
        };
        Ok(Self {
            target,
            entries,
            others,
            effect,
        })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self.effect {
            Effect::Change => {
                let changed = session
                    .client
                    .transaction(async |tree| self.change(tree).await);
                changed.await
            }
            Effect::Tell => self.tell(session).await,
        }
    }

    async fn change(&self, tree: &Tree) -> Result<(), Failure> {
        if self.others == Others::Go {
            match tree.remove(&self.target).await {
                Err(error) if !error.is_not_found() => {
                    return Err(Failure::at(&self.target)(error));
                }
                _ => {}
            }
        }
        for entries in self.entries.chunks(AT_ONCE) {
            all(entries.iter().map(|entry| write(tree, entry))).await?;
        }
        // Last, and from below: who may not write any longer has written all by then.
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.reverse();
        for entries in entries.chunks(AT_ONCE) {
            all(entries.iter().map(|entry| permit(tree, entry))).await?;
        }
        Ok(())
    }

    /// Shows what would be other than it is.
    async fn tell(&self, session: &mut Session) -> Result<(), Failure> {
        let mut known = BTreeMap::new();
        let mut walk = Walk::new(&session.client, &self.target, Details::Permissions, None);
        while let Some(node) = walk.next().await {
            match node.error() {
                Some(error) if error.is_not_found() => {}
                Some(error) => return Err(Failure::at(&node.path)(error)),
                None => drop(known.insert(node.path.clone(), node)),
            }
        }
        let out = &mut session.out;
        for entry in &self.entries {
            tell_entry(out, entry, known.get(&entry.path))?;
        }
        if self.others == Others::Go {
            let kept: HashSet<&str> = self.entries.iter().map(|entry| &*entry.path).collect();
            for path in known.keys().filter(|path| !kept.contains(&***path)) {
                out.line(out.paint(Style::Gone, format!("- {path}")))?;
            }
        }
        Ok(())
    }
}

/// Runs requests side by side; the first failure of them.
async fn all(
    requests: impl Iterator<Item = impl Future<Output = Result<(), Failure>>>,
) -> Result<(), Failure> {
    join_all(requests).await.into_iter().collect()
}

async fn write(tree: &Tree, entry: &Entry) -> Result<(), Failure> {
    let done = match &entry.value {
        Some(value) => tree.write(&entry.path, value).await,
        None => tree.make(&entry.path).await,
    };
    done.map_err(Failure::at(&entry.path))
}

async fn permit(tree: &Tree, entry: &Entry) -> Result<(), Failure> {
    let done: Result<(), Error> = match &entry.permissions {
        Some(permissions) => tree.set_permissions(&entry.path, permissions).await,
        None => Ok(()),
    };
    done.map_err(Failure::at(&entry.path))
}

fn tell_entry(out: &mut Output, entry: &Entry, node: Option<&Node>) -> Result<(), Failure> {
    let path = &entry.path;
    let value = entry.value.as_deref();
    let Some(node) = node else {
        let text = format!("+ {path} = {}", quoted(value.unwrap_or_default()));
        return out.line(out.paint(Style::Added, text));
    };
    let before = node.value.as_deref().unwrap_or_default();
    if let Some(value) = value
        && value != before
    {
        let text = format!("~ {path} {} -> {}", quoted(before), quoted(value));
        out.line(out.paint(Style::Changed, text))?;
    }
    let before: &[Permission] = match &node.permissions {
        Some(Ok(permissions)) => permissions,
        _ => &[],
    };
    if let Some(permissions) = &entry.permissions
        && permissions != before
    {
        let text = format!("~ {path} ({}) -> ({})", Listed(before), Listed(permissions));
        out.line(out.paint(Style::Changed, text))?;
    }
    Ok(())
}

/// The dump's text.
fn read(file: Option<PathBuf>) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let (name, done) = match file {
        Some(file) if file.as_os_str() != "-" => {
            let opened = File::open(&file);
            let done = opened.and_then(|open| open.take(MOST + 1).read_to_end(&mut text));
            (file.display().to_string(), done)
        }
        _ => {
            let done = io::stdin().take(MOST + 1).read_to_end(&mut text);
            ("standard input".to_owned(), done)
        }
    };
    match done {
        Ok(len) if len as u64 > MOST => {
            Err(Failure::Other(format!("{name}: more than {MOST} bytes")))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::Other(format!("{name}: {error}"))),
    }
}
