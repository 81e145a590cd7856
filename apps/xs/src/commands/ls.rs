//! `xs ls`: nodes and what is below them.

use std::fmt::Write;

use morgana_xenstore_client::Error;

use crate::cli;
use crate::escape::quoted;
use crate::failure::{Failure, Failures};
use crate::json::{Array, Record};
use crate::output::Output;
use crate::paint::Style;
use crate::path::{self, Kind};
use crate::permissions::Listed;
use crate::session::Session;
use crate::walk::{Details, Node, Walk};
use crate::words::words;

/// What to show.
#[derive(Debug)]
pub(crate) struct Ls {
    paths: Vec<String>,
    details: Details,
    depth: Option<usize>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Tree,
    WholePaths,
    Json,
}

impl Ls {
    pub(crate) fn check(arguments: cli::Ls) -> Result<Self, Failure> {
        let mut paths = path::check_all(&arguments.paths, Kind::Node)?;
        if paths.is_empty() {
            paths.push("/".to_owned());
        }
        let details = if arguments.long {
            Details::Permissions
        } else {
            Details::None
        };
        let form = match (arguments.full, arguments.json) {
            (_, true) => Form::Json,
            (true, false) => Form::WholePaths,
            (false, false) => Form::Tree,
        };
        Ok(Self {
            paths,
            details,
            depth: arguments.depth,
            form,
        })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let mut failures = Failures::default();
        let mut array = Array::default();
        for path in &self.paths {
            let mut walk = Walk::new(&session.client, path, self.details, self.depth);
            let mut branches = Branches::default();
            while let Some(node) = walk.next().await {
                let out = &mut session.out;
                let prefix = branches.of(&node);
                match (node.error(), self.form) {
                    // In a tree it has its place; elsewhere, and where there is no tree, it is told beside.
                    (Some(error), form) if node.depth == 0 || form == Form::Json => {
                        failures.note(Failure::at(&node.path)(error))?;
                    }
                    (Some(error @ (Error::Closed(_) | Error::TimedOut)), _) => {
                        return Err(Failure::at(&node.path)(error));
                    }
                    (_, Form::Json) => array.add(out, &Record::of(&node))?,
                    (_, Form::WholePaths) => show(out, &node, "", &node.path)?,
                    (_, Form::Tree) if node.depth == 0 => show(out, &node, "", &node.path)?,
                    (_, Form::Tree) => show(out, &node, &prefix, node.name())?,
                }
            }
        }
        if self.form == Form::Json {
            array.end(&mut session.out)?;
        }
        failures.finish()
    }
}

/// The lines that lead to a node of a tree.
#[derive(Debug, Default)]
struct Branches {
    /// For each level above the node, what goes on there.
    above: Vec<&'static str>,
}

impl Branches {
    /// What is before the node's name.
    fn of(&mut self, node: &Node) -> String {
        let Some(level) = node.depth.checked_sub(1) else {
            return String::new();
        };
        self.above.truncate(level);
        let mut prefix = self.above.concat();
        prefix.push_str(if node.last {
            "└── "
        } else {
            "├── "
        });
        self.above.push(if node.last { "    " } else { "│   " });
        prefix
    }
}

/// Writes a node's line.
fn show(out: &mut Output, node: &Node, prefix: &str, name: &str) -> Result<(), Failure> {
    let mut line = String::new();
    // Writing into a String does not fail.
    let _ = match &node.children {
        Ok(names) if !names.is_empty() => write!(line, "{}", out.paint(Style::Folder, name)),
        _ => write!(line, "{name}"),
    };
    let _ = match &node.value {
        Ok(value) if value.is_empty() => Ok(()),
        Ok(value) => write!(line, " = {}", quoted(value)),
        Err(_) => Ok(()),
    };
    if let Some(error) = node.error() {
        let why = format!("<{}>", words(error));
        let _ = write!(line, " {}", out.paint(Style::Gone, why));
    }
    if let Some(Ok(permissions)) = &node.permissions {
        let listed = format!("({})", Listed(permissions));
        let _ = write!(line, "  {}", out.paint(Style::Faint, listed));
    }
    out.line(format_args!("{}{line}", out_prefix(out, prefix)))
}

/// The lines of the tree, if there are any.
fn out_prefix(out: &Output, prefix: &str) -> String {
    if prefix.is_empty() {
        return String::new();
    }
    out.paint(Style::Faint, prefix).to_string()
}
